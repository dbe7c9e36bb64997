/// What packets travel on.
public enum EngineTransport: String, Sendable, Hashable, CaseIterable {
    case polling
    case websocket
}

/// An HTTP request to the Engine.IO path, read and judged as far as the request alone allows; whether its session
/// exists and is on that transport, the owner of the sessions decides.
public struct EngineRequest: Sendable, Equatable {
    /// What the client wants.
    public enum Purpose: Sendable, Equatable {
        /// To open a session.
        case handshake
        /// To wait for packets of its session (polling, GET).
        case poll(sid: String)
        /// To deliver packets to its session (polling, POST).
        case deliver(sid: String)
        /// To move its session to a WebSocket.
        case upgrade(sid: String)

        /// The id of the session that the request names; nil for a handshake.
        public var sid: String? {
            switch self {
            case .handshake: nil
            case .poll(let sid), .deliver(let sid), .upgrade(let sid): sid
            }
        }
    }

    /// The target's path as it was sent, still percent-encoded.
    public let path: String
    /// All parameters, those of the protocol and any others.
    public let query: EngineQuery
    /// The transport that the request names; the server offers it.
    public let transport: EngineTransport
    /// What the client wants, and of which session.
    public let purpose: Purpose

    /// The id of the session that the request names; nil for a handshake.
    public var sid: String? { purpose.sid }

    /// The revision of the protocol that the request names; nil when that is absent or no number. On a handshake it is
    /// always 4; later requests are not judged by it.
    public var version: Int? {
        query["EIO"].flatMap { Int($0) }
    }

    /// Reads a request. Where several things are wrong the reference server's order decides which one is named: the
    /// transport, the handshake's method, a WebSocket without an upgrade, the revision.
    ///
    /// - Parameters:
    ///   - method: the HTTP method, in capitals.
    ///   - target: the request target in origin form: path, and query after a `?`.
    ///   - supportedTransports: what the server offers.
    ///   - isUpgrade: whether the request asks to become a WebSocket. When given, a WebSocket without an upgrade is
    ///     refused, and so is polling with one; nil leaves that to the caller.
    /// - Throws: ``EngineError/unknownTransport``, ``EngineError/badHandshakeMethod``, ``EngineError/badRequest`` or
    ///   ``EngineError/unsupportedProtocolVersion``.
    public init(
        method: String,
        target: String,
        supportedTransports: Set<EngineTransport> = Set(EngineTransport.allCases),
        isUpgrade: Bool? = nil
    ) throws(EngineError) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts[0])
        query = EngineQuery(parts.count > 1 ? parts[1] : "")

        guard let transport = query["transport"].flatMap(EngineTransport.init), supportedTransports.contains(transport)
        else { throw .unknownTransport }
        self.transport = transport

        let sid = query["sid"].flatMap { $0.isEmpty ? nil : $0 }
        guard sid != nil || method == "GET" else { throw .badHandshakeMethod }
        if let isUpgrade, isUpgrade != (transport == .websocket) { throw .badRequest }

        switch (sid, transport, method) {
        case (nil, _, _):
            guard query["EIO"] == "4" else { throw .unsupportedProtocolVersion }
            purpose = .handshake
        case (let sid?, .polling, "GET"): purpose = .poll(sid: sid)
        case (let sid?, .polling, "POST"): purpose = .deliver(sid: sid)
        case (let sid?, .websocket, "GET"): purpose = .upgrade(sid: sid)
        default: throw .badRequest
        }
    }
}
