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

    /// The answer to a preflight, for an origin that is listed.
    var preflightHeaders: HTTPHeaders {
        var headers = crossOriginHeaders
        headers.add(name: "Access-Control-Allow-Methods", value: "GET, POST")
        let wanted = head.headers["access-control-request-headers"].joined(separator: ", ")
        if !wanted.isEmpty { headers.add(name: "Access-Control-Allow-Headers", value: wanted) }
        headers.add(name: "Access-Control-Max-Age", value: "600")
        return headers
    }
}

extension SocketIOServerConfiguration {
    /// What lets the script of a listed origin read the answer; empty for any other.
    func crossOriginHeaders(for request: HTTPHeaders) -> HTTPHeaders {
        guard let origin = request.first(name: "origin"), allowedOrigins.contains(origin) else {
            // A cache must not give one origin's answer to another.
            return allowedOrigins.isEmpty ? [:] : ["Vary": "Origin"]
        }
        return [
            "Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true", "Vary": "Origin",
        ]
    }
}
