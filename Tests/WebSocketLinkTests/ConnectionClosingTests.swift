import NIOCore
import NIOEmbedded
import Testing

@testable import WebSocketLink

@Suite("Connection closing")
struct ConnectionClosingTests {
    @Test("the peer's Close is echoed, reported with its code, and a server closes the channel")
    func remoteClose() throws {
        let link = try Link()
        try link.receive(clientText("a") + clientClose(1001, "leaving") + clientText("b"))
        #expect(try link.sent() == serverClose(1001))
        #expect(link.recorder.texts == ["a"])
        #expect(link.recorder.ends == [.remote(code: .goingAway, reason: "leaving")])
        #expect(!link.channel.isActive)
    }

    @Test("an empty Close is answered with an empty Close")
    func emptyClose() throws {
        let link = try Link()
        try link.receive(frame(8, key: key))
        #expect(try link.sent() == [0x88, 0x00])
        #expect(link.recorder.ends == [.remote(code: nil, reason: "")])
    }

    @Test("what was sent before the peer's Close goes out before the echo")
    func closeBehindQueued() throws {
        let link = try Link()
        link.connection.send(.text(ByteBuffer(string: "last")))
        try link.receive(clientClose(1000))
        #expect(try link.sent() == frame(1, Array("last".utf8)) + serverClose(1000))
    }

    @Test("a client leaves the channel to the server to close, for a bounded time")
    func clientWaitsForServer() throws {
        let link = try Link(role: .client)
        try link.receive(serverClose(1000))
        #expect(link.recorder.ends == [.remote(code: .normalClosure, reason: "")])
        #expect(link.channel.isActive)
        link.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!link.channel.isActive)
        #expect(link.recorder.ends.count == 1)
    }

    @Test("a close is complete with the peer's answer")
    func localClose() throws {
        let link = try Link()
        link.connection.send(.text(ByteBuffer(string: "last")))
        link.connection.close(code: .normalClosure, reason: "done")
        #expect(!link.connection.isOpen)
        #expect(try link.sent() == frame(1, Array("last".utf8)) + serverClose(1000, "done"))
        #expect(link.recorder.ends.isEmpty)
        #expect(link.channel.isActive)
        try link.receive(clientClose(1000))
        #expect(link.recorder.ends == [.local])
        #expect(!link.channel.isActive)
    }

    @Test("a close that the peer doesn't answer ends after its time-out")
    func localCloseTimesOut() throws {
        let link = try Link()
        link.connection.close()
        link.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1_900))
        #expect(link.channel.isActive)
        #expect(link.recorder.ends.isEmpty)
        link.channel.embeddedEventLoop.advanceTime(by: .milliseconds(200))
        #expect(!link.channel.isActive)
        #expect(link.recorder.ends == [.local])
    }

    @Test("pings are not answered once the Close is out")
    func noPongBehindClose() throws {
        let link = try Link()
        link.connection.close()
        _ = try link.sent()
        try link.receive(frame(9, [1], key: key))
        #expect(try link.sent().isEmpty)
    }

    @Test("the end of the stream without a Close is reported as that", arguments: [true, false])
    func endOfStream(isHalfClosure: Bool) throws {
        let link = try Link()
        try link.receive(Array(clientText("unfinished")[..<5]))
        if isHalfClosure {
            link.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        } else {
            _ = try link.channel.finish()
        }
        #expect(link.recorder.ends == [.endOfStream])
        #expect(!link.channel.isActive)
        #expect(link.recorder.messages.isEmpty)
    }

    @Test("an error of the transport is reported and closes the channel")
    func transportError() throws {
        let link = try Link()
        link.channel.pipeline.fireErrorCaught(ChannelError.inappropriateOperationForState)
        #expect(link.recorder.ends == [.error(String(describing: ChannelError.inappropriateOperationForState))])
        #expect(!link.channel.isActive)
    }

    @Test("the wish to quiesce and changes of writability reach the delegate")
    func events() throws {
        let link = try Link()
        link.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(link.recorder.quiesceCount == 1)
        link.channel.isWritable = false
        link.channel.pipeline.fireChannelWritabilityChanged()
        link.channel.isWritable = true
        link.channel.pipeline.fireChannelWritabilityChanged()
        #expect(link.recorder.writability == [false, true])
    }

    @Test("the delegate is let go with the end of the connection, and calls after it do nothing")
    func release() throws {
        weak var delegate: Recorder?
        let connection: WebSocketConnection
        do {
            let link = try Link()
            delegate = link.recorder
            connection = link.connection
            link.connection.send(.text(ByteBuffer(string: "never flushed")))
            _ = try? link.channel.finish()
        }
        #expect(delegate == nil)
        #expect(connection.channel == nil)
        #expect(connection.queuedBytes == 0)
        connection.send(.text(ByteBuffer(string: "x")))
        connection.flush()
        connection.close()
        connection.abort()
        #expect(!connection.isOpen)
        #expect(!connection.isWritable)
    }

    @Test("random bytes never keep a connection from ending exactly once")
    func randomBytes() throws {
        var generator = SeededGenerator(seed: 99)
        for _ in 0..<2_000 {
            let link = try Link(maximumMessageSize: 200)
            link.recorder.onMessage = { connection, message in
                connection.send(message)
                connection.flush()
            }
            for _ in 0..<4 {
                let opcodes: [UInt8] = [0x81, 0x82, 0x02, 0x80, 0x89, 0x8A, 0x88, 0x83]
                let opcode = opcodes[Int.random(in: 0..<opcodes.count, using: &generator)]
                let size = Int.random(in: 0...130, using: &generator)
                var bytes = frame(
                    opcode & 0x0F, (0..<size).map { _ in UInt8.random(in: 0...127, using: &generator) },
                    isFinal: opcode & 0x80 != 0, key: key)
                bytes.removeLast(Int.random(in: 0...1, using: &generator))
                try? link.receive(bytes)
            }
            _ = try? link.channel.finish(acceptAlreadyClosed: true)
            #expect(link.recorder.ends.count == 1)
        }
    }
}
