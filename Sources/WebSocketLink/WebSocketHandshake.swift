import Base64Coding
import Crypto

/// The rules of the opening handshake (RFC 6455 section 4) that don't depend on how a program keeps its headers.
///
/// Wherever headers are needed they are asked for by a closure that returns every value of a field, given its
/// lower-case name.
public enum WebSocketHandshake {
    /// Why a request isn't a valid opening handshake.
    public enum RequestError: Error, Sendable, Equatable, CustomStringConvertible {
        case methodNotGET
        case notHTTP11
        case upgradeMissing
        case connectionMissing
        case versionUnsupported
        case keyInvalid

        /// The status to answer with. For 426, `Sec-WebSocket-Version: 13` belongs into the answer (section 4.4).
        public var status: Int {
            switch self {
            case .methodNotGET: 405
            case .notHTTP11: 505
            case .versionUnsupported: 426
            case .upgradeMissing, .connectionMissing, .keyInvalid: 400
            }
        }

        public var description: String {
            switch self {
            case .methodNotGET: "A WebSocket handshake is a GET request."
            case .notHTTP11: "A WebSocket handshake needs HTTP/1.1."
            case .upgradeMissing: "The Upgrade header does not name websocket."
            case .connectionMissing: "The Connection header does not name upgrade."
            case .versionUnsupported: "Only version 13 of the WebSocket protocol is spoken here."
            case .keyInvalid: "Sec-WebSocket-Key is not 16 bytes in base64."
            }
        }
    }

    /// Why an answer doesn't complete the opening handshake that was asked for.
    public enum ResponseError: Error, Sendable, Equatable, CustomStringConvertible {
        case statusNot101(Int)
        case upgradeMissing
        case connectionMissing
        case acceptMismatch
        case extensionNotOffered
        case protocolNotOffered

        public var description: String {
            switch self {
            case .statusNot101(let status): "The server answered \(status) in place of 101."
            case .upgradeMissing: "The answer's Upgrade header is not websocket."
            case .connectionMissing: "The answer's Connection header does not name upgrade."
            case .acceptMismatch: "The answer's Sec-WebSocket-Accept does not belong to our key."
            case .extensionNotOffered: "The server chose an extension that was not offered."
            case .protocolNotOffered: "The server chose a subprotocol that was not offered."
            }
        }
    }

    /// Checks a request against section 4.2.1.
    ///
    /// - Returns: its `Sec-WebSocket-Key`, to be answered with ``acceptKey(for:)``.
    public static func validateRequest(
        method: String,
        httpMajor: Int,
        httpMinor: Int,
        values: (_ name: String) -> [String]
    ) throws(RequestError) -> String {
        guard method == "GET" else { throw .methodNotGET }
        guard httpMajor == 1, httpMinor >= 1 else { throw .notHTTP11 }
        guard values("upgrade").contains(where: { lists("websocket", in: $0) }) else { throw .upgradeMissing }
        guard values("connection").contains(where: { lists("upgrade", in: $0) }) else { throw .connectionMissing }
        let versions = values("sec-websocket-version")
        guard versions.count == 1, versions.first.map(trimmed) == "13" else { throw .versionUnsupported }
        let keys = values("sec-websocket-key")
        guard keys.count == 1, let key = keys.first.map({ String(trimmed($0)) }), isValid(key: key) else {
            throw .keyInvalid
        }
        return key
    }

    /// Checks the answer to a request that offered neither extensions nor subprotocols against section 4.1.
    public static func validateResponse(
        status: Int,
        key: String,
        values: (_ name: String) -> [String]
    ) throws(ResponseError) {
        guard status == 101 else { throw .statusNot101(status) }
        guard values("upgrade").contains(where: { lists("websocket", in: $0) }) else { throw .upgradeMissing }
        guard values("connection").contains(where: { lists("upgrade", in: $0) }) else { throw .connectionMissing }
        let accepts = values("sec-websocket-accept")
        guard accepts.count == 1, accepts.first.map(trimmed) == acceptKey(for: key)[...] else {
            throw .acceptMismatch
        }
        guard values("sec-websocket-extensions").isEmpty else { throw .extensionNotOffered }
        guard values("sec-websocket-protocol").isEmpty else { throw .protocolNotOffered }
    }

    /// What `Sec-WebSocket-Accept` must be in the answer to a key (section 4.2.2).
    public static func acceptKey(for key: String) -> String {
        var hash = Insecure.SHA1()
        var input = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        input.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        return Base64.encode(hash.finalize())
    }

    /// A new `Sec-WebSocket-Key`: 16 random bytes in base64.
    public static func randomKey() -> String {
        Base64.encode((0..<16).map { _ in UInt8.random(in: .min ... .max) })
    }

    private static func isValid(key: String) -> Bool {
        key.utf8.count == 24 && Base64.decode(key)?.count == 16
    }

    /// Whether a comma-separated header value contains the lower-case token, in any case.
    private static func lists(_ token: String, in value: String) -> Bool {
        value.split(separator: ",").contains { trimmed($0).lowercased() == token }
    }

    private static func trimmed(_ text: some StringProtocol) -> Substring {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        var rest = Substring(text).drop(while: isSpace)
        while let last = rest.last, isSpace(last) {
            rest.removeLast()
        }
        return rest
    }
}
