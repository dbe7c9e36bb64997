import NIOCore
import NIOHTTP1

/// Where a session's requests go, and what they say of themselves. Belongs to its event loop.
final class EngineEndpoint {
    let dialer: HTTPDialer
    private var cookies: CookieJar

    init(_ dialer: HTTPDialer) {
        self.dialer = dialer
        let configuration = dialer.configuration
        cookies = CookieJar(
            host: configuration.host, path: configuration.path, isSecure: configuration.isSecure)
    }

    /// The request target for a transport, of a session where there is one already.
    func target(_ transport: SocketIOTransport, sid: String?) -> String {
        let target = "\(dialer.configuration.path)?EIO=4&transport=\(transport.rawValue)"
        return sid.map { "\(target)&sid=\(Self.encoded($0))" } ?? target
    }

    /// The headers of any request: the user's, `Host` and the cookies.
    func headers() -> HTTPHeaders {
        var headers = HTTPHeaders(dialer.configuration.headers)
        if !headers.contains(name: "Host") {
            headers.add(name: "Host", value: dialer.configuration.authority)
        }
        if let cookies = cookies.field(adding: headers["Cookie"], now: dialer.eventLoop.now) {
            headers.replaceOrAdd(name: "Cookie", value: cookies)
        }
        return headers
    }

    /// Takes the cookies out of an answer.
    func received(_ headers: HTTPHeaders) {
        cookies.update(from: headers, now: dialer.eventLoop.now)
    }

    /// A text of the server as a part of a query, where it can't mean anything else (RFC 3986 section 2.1).
    private static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var output: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                output.append(byte)
            default:
                output += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
