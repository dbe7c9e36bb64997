import EngineIO
import NIOCore
import NIOEmbedded
import SocketIO
import WebSocketLink
import WireJSON

@testable import SocketIOClient

/// A session over a WebSocket on an embedded channel, where the test is the server and the clock.
final class SessionHarness {
    let channel = EmbeddedChannel()
    let queue: SocketIOIncomingQueue
    let session: SocketIOSession
    private(set) var namespace: NamespaceSession!
    private(set) var outcomes: [Result<NamespaceAdmission, SocketIOConnectError>] = []
    private var parser = WebSocketFrameParser(role: .server, maximumPayloadSize: 1 << 20)

    init(_ configuration: SocketIOClientConfiguration = SocketIOClientConfiguration(host: "h", port: 1)) throws {
        queue = SocketIOIncomingQueue(limit: configuration.maximumUnreadElements, eventLoop: channel.eventLoop)
        session = SocketIOSession(configuration: configuration, eventLoop: channel.eventLoop)
        namespace = session.join(configuration.namespace, auth: configuration.auth, isFirst: true, queue: queue) {
            [unowned self] in outcomes.append($0)
        }
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        let (transport, handler) = WebSocketTransport.make(on: channel, maximumMessageSize: 1 << 20)
        session.engine.attach(transport)
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    func receive(_ texts: String...) throws {
        var bytes = ByteBuffer()
        for text in texts {
            WebSocketFrameWriter.appendText(ByteBuffer(string: text), to: &bytes)
        }
        try channel.writeInbound(bytes)
    }

    func receive(binary: [UInt8]) throws {
        var bytes = ByteBuffer()
        WebSocketFrameWriter.appendBinary(ByteBuffer(bytes: binary), to: &bytes)
        try channel.writeInbound(bytes)
    }

    /// What was sent since the last call; text as it is, others by their kind.
    func sent() throws -> [String] {
        channel.embeddedEventLoop.run()
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
            parser.append(bytes)
        }
        var frames: [String] = []
        while let frame = try parser.nextFrame() {
            frames.append(frame.opcode == .text ? String(buffer: frame.payload) : "\(frame.opcode)")
        }
        return frames
    }

    func advance(_ time: TimeAmount) {
        channel.embeddedEventLoop.advanceTime(by: time)
    }

    func join(pingInterval: Int = 25_000, pingTimeout: Int = 20_000) throws {
        try receive(#"0{"sid":"e","upgrades":[],"pingInterval":\#(pingInterval),"pingTimeout":\#(pingTimeout)}"#)
        try receive(#"40{"sid":"s"}"#)
        _ = try sent()
    }

    /// Everything that waits to be read; only after the end.
    func incoming() async -> [String] {
        var all: [String] = []
        for await element in SocketIOIncomingSequence(
            base: SocketIOIncomingElements(queue), namespace: nil)
        {
            all.append(element.description)
        }
        return all
    }
}
