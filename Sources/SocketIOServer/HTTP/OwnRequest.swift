import EngineIO
import NIOCore
import NIOHTTP1

/// A request to the server's path, on its way through the gate.
struct OwnRequest {
    enum Outcome {
        case admitted(EngineRequest)
        case refused(EngineError)
        /// A browser asks whether a page of another origin may make a request (CORS).
        case preflight
    }

    let head: HTTPRequestHead
    let handshake: HandshakeRequest
    var outcome = Outcome.refused(.badRequest)
    var crossOriginHeaders = HTTPHeaders()

    init(head: HTTPRequestHead, handshake: HandshakeRequest) {
        self.head = head
        self.handshake = handshake
    }

    var purpose: EngineRequest.Purpose {
        if case .admitted(let request) = outcome { request.purpose } else { .handshake }
    }

    /// Whether what the body says matters; that of any other request is read past.
    var keepsBody: Bool {
        if case .deliver = purpose { true } else { false }
    }
}

extension SocketIOServerConfiguration {
    private static let sharing = CrossOriginSharing(methods: ["GET", "POST"])

    /// The header fields of any answer that say whether the script of another origin may read it.
    func crossOriginHeaders(for request: HTTPHeaders) -> HTTPHeaders {
        guard !allowedOrigins.isEmpty else { return [:] }
        return Self.headers(Self.sharing.fields(forListed: listedOrigin(of: request)))
    }

    /// The header fields of the answer to a preflight request; nil for an origin that is not listed.
    func preflightHeaders(for request: HTTPHeaders) -> HTTPHeaders? {
        guard let origin = listedOrigin(of: request) else { return nil }
        let requested = request["access-control-request-headers"].joined(separator: ", ")
        return Self.headers(
            Self.sharing.preflightFields(forListed: origin, requestedFields: requested.isEmpty ? nil : requested))
    }

    private func listedOrigin(of request: HTTPHeaders) -> String? {
        request.first(name: "origin").flatMap { allowedOrigins.contains($0) ? $0 : nil }
    }

    private static func headers(_ fields: [(name: String, value: String)]) -> HTTPHeaders {
        HTTPHeaders(fields.map { ($0.name, $0.value) })
    }
}
