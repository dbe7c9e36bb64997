import NIOCore
import WireJSON

/// What the server tells in the `open` packet: the session and how it is kept.
public struct EngineHandshake: Sendable, Equatable {
    /// The session's identifier, which the client repeats in the query of every further request.
    public var sid: String
    /// The transports that the client may move to.
    public var upgrades: [String]
    /// Milliseconds between the server's pings.
    public var pingInterval: Int64
    /// Milliseconds that the server waits for a pong.
    public var pingTimeout: Int64
    /// The most bytes that the server takes in one polling body or WebSocket message.
    public var maxPayload: Int

    /// The `maxPayload` of servers that do not say one: those older than the field all had this default.
    public static let defaultMaxPayload = 1_000_000

    /// A handshake as a server grants it. What it is given is not checked; reading one from a peer is.
    public init(
        sid: String,
        upgrades: [String],
        pingInterval: Int64,
        pingTimeout: Int64,
        maxPayload: Int = defaultMaxPayload
    ) {
        self.sid = sid
        self.upgrades = upgrades
        self.pingInterval = pingInterval
        self.pingTimeout = pingTimeout
        self.maxPayload = maxPayload
    }
}

// MARK: - JSON

extension EngineHandshake {
    /// The longest session identifier that is accepted, in bytes.
    static let longestSid = 256
    /// Intervals in milliseconds: positive, and within what the timers of JavaScript can wait (2^31 - 1).
    static let intervals: ClosedRange<Int64> = 1...2_147_483_647
    /// Payload limits in bytes, up to the largest integer that every JSON implementation keeps (2^53 - 1).
    static let payloadLimits: ClosedRange<Int64> = 1...9_007_199_254_740_991

    /// The handshake as the payload of an `open` packet.
    public var json: JSON {
        [
            "sid": .string(sid),
            "upgrades": .array(upgrades.map { .string($0) }),
            "pingInterval": .integer(pingInterval),
            "pingTimeout": .integer(pingTimeout),
            "maxPayload": .integer(Int64(maxPayload)),
        ]
    }

    /// Reads the payload of an `open` packet. Unknown fields are ignored; `upgrades` and `maxPayload` may be absent,
    /// since not every server sends them.
    ///
    /// - Throws: ``EngineProtocolError/invalidHandshake(_:)``.
    public init(json: JSON) throws(EngineProtocolError) {
        guard json.objectValue != nil else { throw .invalidHandshake("it is no object") }
        guard let sid = json["sid"]?.stringValue, !sid.isEmpty, sid.utf8.count <= Self.longestSid else {
            throw .invalidHandshake("sid is no string of 1 to \(Self.longestSid) bytes")
        }
        self.sid = sid
        upgrades = try Self.upgrades(in: json)
        pingInterval = try Self.interval("pingInterval", in: json)
        pingTimeout = try Self.interval("pingTimeout", in: json)
        maxPayload = try Self.maxPayload(in: json)
    }

    /// Decodes the payload of an `open` packet.
    init(decoding payload: ByteBuffer) throws(EngineProtocolError) {
        let json: JSON
        do throws(JSONSyntaxError) {
            json = try JSON(parsing: payload.readableBytesView)
        } catch {
            throw .invalidHandshake(error.description)
        }
        try self.init(json: json)
    }

    private static func upgrades(in json: JSON) throws(EngineProtocolError) -> [String] {
        guard let value = json["upgrades"], !value.isNull else { return [] }
        guard let names = value.arrayValue?.map(\.stringValue), !names.contains(nil) else {
            throw .invalidHandshake("upgrades is no array of strings")
        }
        return names.compactMap { $0 }
    }

    private static func interval(_ name: String, in json: JSON) throws(EngineProtocolError) -> Int64 {
        guard let value = json[name]?.integerValue, intervals.contains(value) else {
            throw .invalidHandshake("\(name) is no integer from \(intervals.lowerBound) to \(intervals.upperBound)")
        }
        return value
    }

    private static func maxPayload(in json: JSON) throws(EngineProtocolError) -> Int {
        // A server without a limit writes infinity, which JSON turns into null.
        guard let value = json["maxPayload"], !value.isNull else { return defaultMaxPayload }
        guard let bytes = value.integerValue, payloadLimits.contains(bytes) else {
            throw .invalidHandshake("maxPayload is no positive integer")
        }
        return Int(clamping: bytes)
    }
}
