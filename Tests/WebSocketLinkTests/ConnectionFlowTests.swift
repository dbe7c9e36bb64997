import NIOCore
import NIOEmbedded
import Testing

@testable import WebSocketLink

@Suite("Connection flow control")
struct ConnectionFlowTests {
    @Test("a pause holds back messages at once, and a resume delivers them in order")
    func pauseAndResume() throws {
        let link = try Link()
        link.recorder.onMessage = { connection, _ in connection.pause() }
        try link.receive(clientText("a") + clientText("b") + frame(9, [1], key: key) + clientText("c"))
        #expect(link.recorder.texts == ["a"])
        #expect(link.connection.isPaused)
        link.connection.resume()
        #expect(link.recorder.texts == ["a", "b"])
        #expect(try link.sent().isEmpty)
        link.recorder.onMessage = { _, _ in }
        link.connection.resume()
        #expect(link.recorder.texts == ["a", "b", "c"])
        #expect(try link.sent() == frame(10, [1]))
        #expect(!link.connection.isPaused)
    }

    @Test("messages that came before the end of the stream are delivered, paused or not")
    func endWhilePaused() throws {
        let link = try Link()
        link.connection.pause()
        try link.receive(clientText("a") + clientText("b"))
        #expect(link.recorder.messages.isEmpty)
        _ = try link.channel.finish()
        #expect(link.recorder.texts == ["a", "b"])
        #expect(link.recorder.ends == [.endOfStream])
    }

    @Test("a paused connection that closes still hears the peer's answer")
    func closeWhilePaused() throws {
        let link = try Link()
        link.connection.pause()
        try link.receive(clientText("a"))
        link.connection.close()
        #expect(try link.sent() == serverClose(1000))
        try link.receive(clientClose(1000))
        #expect(link.recorder.ends == [.local])
        #expect(link.recorder.messages.isEmpty)
    }

    @Test("a delegate that sends when it hears of the channel's writability puts nothing between header and payload")
    func sendDuringWritabilityChange() throws {
        let link = try Link()
        try link.channel.pipeline.syncOperations.addHandler(WritabilityAnnouncer(), position: .first)
        link.recorder.onWritability = { connection, _ in
            connection.send(.text(ByteBuffer(string: "!")))
        }
        let large = [UInt8](repeating: 3, count: 5_000)
        link.connection.send(.binary(ByteBuffer(large)))
        link.connection.send(encodedFrames: WebSocketFrameWriter.binaryFrame(ByteBuffer(large)))
        link.connection.send(.binary(ByteBuffer([UInt8](repeating: 4, count: 4_000))))
        link.recorder.onWritability = { _, _ in }
        link.connection.flush()
        var parser = WebSocketFrameParser(role: .client, maximumPayloadSize: 10_000)
        parser.append(ByteBuffer(try link.sent()))
        var payloads: [[UInt8]] = []
        while let frame = try parser.nextFrame() {
            payloads.append(frame.payload.bytes)
        }
        let exclamation = Array("!".utf8)
        #expect(payloads.filter { $0 == exclamation }.count >= 2)
        #expect(payloads.filter { $0 != exclamation } == [large, large, [UInt8](repeating: 4, count: 4_000)])
    }
}

/// Tells of a change of writability within every write, as a channel does whose high water mark is crossed.
private final class WritabilityAnnouncer: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(data, promise: promise)
        context.fireChannelWritabilityChanged()
    }
}
