import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import RolecallProtocol
import WireJSON

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Requests to one server's HTTP interface, as one user.
///
/// The token goes to that origin only: no redirect is followed.
struct RESTClient: Sendable {
    /// The longest answer that is taken, in bytes.
    static let largestAnswer = 16 << 20

    let origin: ServerOrigin
    /// A file of certificates in PEM form to trust in place of the system's.
    let certificateFile: String?
    let token: Token?
    let logger: Logger
    /// How long one request may take in all.
    var timeout: Duration = .seconds(30)

    struct Answer: Sendable {
        var status: Int
        /// The body; null where there is none.
        var json: JSON
        /// The log's position at which it was read.
        var position: String?
        /// Seconds after which to try again.
        var retryAfter: Int?
    }

    /// Sends one request and returns its answer, whatever the status.
    ///
    /// - Parameters:
    ///   - path: its parts, still to be encoded.
    ///   - query: names and values, still to be encoded.
    /// - Throws: ``ConnectFailure``, ``RequestFailure``, ``InvalidAnswer``, `CancellationError`.
    func send(
        _ method: HTTPMethod, _ path: [String], query: [(String, String)] = [], body: JSON? = nil
    ) async throws -> Answer {
        do {
            return try await HTTPClient.withHTTPClient(configuration: configuration) { http in
                try await answer(to: request(method, path, query, body), by: http)
            }
        } catch {
            throw translated(error)
        }
    }

    /// What came back is no answer of such a server; a whole sentence.
    struct InvalidAnswer: Error, Hashable, Sendable, CustomStringConvertible {
        let description: String
    }

    private var configuration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: .seconds(10), read: nil))
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        if let certificateFile {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(certificateFile)
            configuration.tlsConfiguration = tls
        }
        return configuration
    }

    private func request(
        _ method: HTTPMethod, _ path: [String], _ query: [(String, String)], _ body: JSON?
    ) -> HTTPClientRequest {
        var url = origin.description
        for part in path { url += "/\(Self.encoded(part))" }
        for (index, (name, value)) in query.enumerated() {
            url += "\(index == 0 ? "?" : "&")\(Self.encoded(name))=\(Self.encoded(value))"
        }
        var request = HTTPClientRequest(url: url)
        request.method = method
        request.headers.add(name: "Accept", value: "application/json")
        // By this a user knows the session again among others.
        request.headers.add(name: "User-Agent", value: Program.agent)
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token.secret)") }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: body.encoded()))
        }
        return request
    }

    private func answer(to request: HTTPClientRequest, by http: HTTPClient) async throws -> Answer {
        let response = try await http.execute(request, timeout: TimeAmount(timeout))
        let status = Int(response.status.code)
        logger.debug(
            "answered",
            metadata: ["method": "\(request.method)", "url": "\(request.url)", "status": .stringConvertible(status)])
        if (300..<400).contains(status) {
            throw InvalidAnswer(
                description: "The server sends to another place (status \(status)), and no token goes there; "
                    + "name the right server with --server.")
        }
        let body: ByteBuffer
        do {
            body = try await response.body.collect(upTo: Self.largestAnswer)
        } catch is NIOTooManyBytesError {
            throw InvalidAnswer(description: "The server's answer is longer than 16 MiB.")
        }
        var answer = Answer(status: status, json: .null)
        answer.position = response.headers.first(name: "X-Rolecall-Position")
        answer.retryAfter = response.headers.first(name: "Retry-After").flatMap { Int($0) }
        if body.readableBytes > 0 {
            guard let json = try? JSON(parsing: body.readableBytesView) else {
                throw InvalidAnswer(
                    description: "The server's answer (status \(status)) is not JSON; is \(origin) a Rolecall server?")
            }
            answer.json = json
        }
        return answer
    }

    private func translated(_ error: any Error) -> any Error {
        switch error {
        case let error as NIOConnectionError:
            guard let cause = error.connectionErrors.first?.error else {
                return ConnectFailure(
                    kind: .unreachable, description: "No server answers at \(origin): its name can't be resolved.")
            }
            if let cause = cause as? IOError { return unreachable(cause) }
            return unsuitable(cause)
        case let error as IOError where Self.isFaultOfConnecting(error): return unreachable(error)
        case let error as HTTPClientError: return translated(error)
        case is NIOSSLError, is BoringSSLError: return unsuitable(error)
        case is HTTPParserError:
            return InvalidAnswer(description: "What answers at \(origin) does not speak HTTP.")
        case is IOError, is ChannelError: return RequestFailure.connectionLost
        default: return error
        }
    }

    private func unreachable(_ error: IOError) -> ConnectFailure {
        let detail = String(cString: strerror(error.errnoCode))
        return ConnectFailure(kind: .unreachable, description: "No server answers at \(origin): \(detail).")
    }

    private func unsuitable(_ error: any Error) -> ConnectFailure {
        let fault = NetworkFault.words(for: "\(error)").asSentenceEnd
        return ConnectFailure(kind: .unsuitable, description: "\(origin) can't be connected to: \(fault)")
    }

    /// Whether the system refused a connection, as against breaking one that stood.
    private static func isFaultOfConnecting(_ error: IOError) -> Bool {
        [
            ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN, EADDRNOTAVAIL, ETIMEDOUT, EACCES, EPERM,
        ].contains(error.errnoCode)
    }

    private func translated(_ error: HTTPClientError) -> any Error {
        switch error {
        case .connectTimeout, .tlsHandshakeTimeout:
            ConnectFailure(kind: .timedOut, description: "No server answers at \(origin) in time.")
        case .deadlineExceeded, .readTimeout, .writeTimeout, .getConnectionFromPoolTimeout: RequestFailure.timedOut
        case .cancelled: CancellationError()
        default: RequestFailure.connectionLost
        }
    }

    /// Percent-encodes all but the unreserved characters (RFC 3986 §2.3).
    static func encoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += "%\(digits.utf8.count < 2 ? "0" : "")\(digits)"
            }
        }
        return encoded
    }
}
