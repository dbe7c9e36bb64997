import CoreMetrics
import Logging
import NIOCore
import NIOEmbedded
import Testing
import WireJSON

@testable import SocketIOServer

/// A server on one embedded event loop, whose time and turns the test drives.
final class Desk {
    let loop = EmbeddedEventLoop()
    let server: SocketIOServer

    var hub: SocketHub { server.hubs[0] }

    init(
        _ application: any SocketIOHandler = Application(), others: [String: any SocketIOHandler] = [:],
        metrics: (any MetricsFactory)? = nil, logs: Journal? = nil,
        configure: (inout SocketIOServerConfiguration) -> Void = { _ in }
    ) {
        var configuration = SocketIOServerConfiguration()
        configure(&configuration)
        var handlers = others
        handlers["/"] = application
        server = SocketIOServer(
            configuration: configuration, handlers: handlers, group: loop,
            logger: Logger(label: "test") { _ in
                if let logs { LogKeeper(journal: logs) } else { SwiftLogNoOpLogHandler() }
            },
            metrics: metrics)
    }

    /// A new TCP connection.
    func line(application: FakeHTTPApplication? = nil) throws -> Line {
        try Line(server: server, loop: loop, application: application)
    }

    /// A connection that is a WebSocket already; its `open` packet has been read.
    func upgradedLine() throws -> Line {
        let line = try line()
        try line.upgrade()
        return line
    }

    /// A connection whose client is in the main namespace; the answer to its CONNECT has been read.
    func connectedLine() throws -> Line {
        let line = try upgradedLine()
        try line.say("40")
        let answer = try #require(try line.heard().first)
        try #require(answer.hasPrefix(#"40{"sid":""#))
        return line
    }
}

/// Notes what is logged: level, sentence, and what is said to be wrong.
private struct LogKeeper: LogHandler {
    let journal: Journal
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fault = event.metadata?["violation"] ?? event.metadata?["error"]
        journal.note("\(event.level): \(event.message)" + (fault.map { ": \($0)" } ?? ""))
    }
}

/// One connection: literal bytes in, literal bytes out.
final class Line {
    let loop: EmbeddedEventLoop
    let channel: EmbeddedChannel
    let application: FakeHTTPApplication?
    private var frames = FrameReader()

    init(server: SocketIOServer, loop: EmbeddedEventLoop, application: FakeHTTPApplication?) throws {
        self.loop = loop
        self.application = application
        channel = EmbeddedChannel(loop: loop)
        let outcomes = Outcomes()
        try HTTPGate.install(on: channel, server: server) { channel in
            guard let application else { throw NoApplication() }
            try application.install(on: channel)
        } decided: {
            outcomes.told.append($0)
        }
        recorded = outcomes
        try channel.connect(to: SocketAddress(ipAddress: "192.0.2.7", port: 4711)).wait()
    }

    private final class Outcomes {
        var told: [HTTPGate.Outcome] = []
    }

    struct NoApplication: Error {}

    private let recorded: Outcomes
    /// What the gate said that the connection came to be.
    var decisions: [HTTPGate.Outcome] { recorded.told }

    deinit {
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    var isOpen: Bool { channel.isActive }

    /// Whether the channel reads by itself.
    var autoRead: Bool {
        let setting = channel.options.last { $0.option is ChannelOptions.Types.AutoReadOption }
        return setting?.value as? Bool ?? true
    }

    func receive(_ bytes: [UInt8]) throws {
        try channel.writeInbound(ByteBuffer(bytes: bytes))
        loop.run()
    }

    func receive(_ text: String) throws {
        try receive(Array(text.utf8))
    }

    /// The peer sends no more; it may still read.
    func receiveEndOfInput() {
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        loop.run()
    }

    /// The connection is lost.
    func drop() {
        channel.close(promise: nil)
        loop.run()
    }

    /// What went out since this was asked last.
    func sent() throws -> [UInt8] {
        loop.run()
        var bytes: [UInt8] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { bytes += buffer.readableBytesView }
        return bytes
    }

    func sentText() throws -> String {
        String(decoding: try sent(), as: UTF8.self)
    }

    // MARK: As a WebSocket

    /// Makes the handshake and reads the `open` packet.
    func upgrade() throws {
        try receive(webSocketRequest())
        let bytes = try sent()
        let head = try #require(bytes.firstRange(of: Array("\r\n\r\n".utf8)))
        try #require(String(decoding: bytes[..<head.lowerBound], as: UTF8.self).hasPrefix("HTTP/1.1 101 "))
        let packets = frames.read(Array(bytes[head.upperBound...]))
        try #require(packets.count == 1 && packets[0].hasPrefix(#"0{"sid":""#))
    }

    /// Sends packets, all in one segment.
    func say(_ packets: String...) throws {
        try receive(packets.flatMap { clientText($0) })
    }

    /// The server's messages since this was asked last.
    func heard() throws -> [String] {
        frames.read(try sent())
    }
}

/// A request without a body.
func request(_ lines: String...) -> String {
    lines.joined(separator: "\r\n") + "\r\n\r\n"
}

/// RFC 6455's own handshake, on the Socket.IO path.
func webSocketRequest(target: String = "/socket.io/?EIO=4&transport=websocket", extra: String...) -> String {
    var lines = [
        "GET \(target) HTTP/1.1", "Host: example.org", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
    ]
    lines += extra
    return lines.joined(separator: "\r\n") + "\r\n\r\n"
}

/// The answer to ``webSocketRequest(target:extra:)``.
let switchingProtocols = request(
    "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")

/// The session id in an `open` packet, or a socket's in the answer to a CONNECT.
func sid(in packet: String) throws -> String {
    let json = try JSON(parsing: packet.drop { $0 != "{" })
    return try #require(json["sid"]?.stringValue)
}
