import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import RolecallProtocol
import WireJSON

/// What a request carries through the router.
struct RolecallRequestContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let remoteAddress: SocketAddress?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        remoteAddress = source.channel.remoteAddress
    }
}

extension Request {
    /// Name and value of each header field, the authority among them.
    var headerPairs: [(name: String, value: String)] {
        var pairs = headers.map { (name: $0.name.rawName, value: $0.value) }
        if let authority = head.authority { pairs.append((name: ":authority", value: authority)) }
        return pairs
    }

    /// The body as JSON.
    ///
    /// - Throws: ``RequestFailure`` with 400 `invalid_json`, or 413 `payload_too_large`.
    func json(limit: Int) async throws -> JSON {
        var request = self
        let body: ByteBuffer
        do {
            body = try await request.collectBody(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw RequestFailure(
                .contentTooLarge, .payloadTooLarge, "The body is larger than the \(limit) bytes that are read.")
        }
        do throws(JSONSyntaxError) {
            return try JSON(parsing: body.readableBytesView)
        } catch {
            throw RequestFailure(.badRequest, .invalidJSON, "The body is not valid JSON: \(error)")
        }
    }
}
