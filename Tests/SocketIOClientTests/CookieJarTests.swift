import NIOCore
import NIOHTTP1
import Testing

@testable import SocketIOClient

@Suite("Cookies of a server")
struct CookieJarTests {
    private static let now = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func jar(_ fields: String..., isSecure: Bool = false) -> CookieJar {
        var jar = CookieJar(host: "node.example.org", path: "/socket.io/", isSecure: isSecure)
        jar.update(from: HTTPHeaders(fields.map { ("Set-Cookie", $0) }), now: Self.now)
        return jar
    }

    @Test("what was set is sent back, the newest value of a name, behind the user's own cookies")
    func values() {
        #expect(jar().field(now: Self.now) == nil)
        let stocked = jar("io=a1; Path=/; HttpOnly", "AWSALB = x/y== ;SameSite=Lax", "io=b2")
        #expect(stocked.field(now: Self.now) == "AWSALB=x/y==; io=b2")
        #expect(stocked.field(adding: ["token=t; io=mine"], now: Self.now) == "token=t; AWSALB=x/y==; io=b2")
        #expect(jar().field(adding: ["a=1;b=2", "c=3"], now: Self.now) == "a=1; b=2; c=3")
    }

    @Test("a cookie lasts as long as its Max-Age, and one of no age is taken away")
    func ages() {
        let short = jar("io=a; Max-Age=10")
        #expect(short.field(now: Self.now + .seconds(9)) == "io=a")
        #expect(short.field(now: Self.now + .seconds(10)) == nil)
        #expect(jar("io=a", "io=; Max-Age=0").field(now: Self.now) == nil)
        #expect(jar("io=a", "io=b; max-age=-5").field(now: Self.now) == nil)
        #expect(jar("io=a; Max-Age=9223372036854775807").field(now: Self.now) == "io=a")
        #expect(jar("io=a; Max-Age=soon").field(now: Self.now) == "io=a")
    }

    @Test("a cookie that is meant for somewhere else is not kept")
    func scopes() {
        let here = ["", "; Domain=example.org", "; Domain=.EXAMPLE.org", "; Path=/", "; Path=/socket.io", "; Path=x"]
        for attributes in here {
            #expect(jar("io=a\(attributes)").field(now: Self.now) == "io=a", "\(attributes)")
        }
        let elsewhere = ["; Domain=other.org", "; Domain=ample.org", "; Path=/api", "; Path=/socket", "; Secure"]
        for attributes in elsewhere {
            #expect(jar("io=a\(attributes)").field(now: Self.now) == nil, "\(attributes)")
        }
        #expect(jar("io=a; Secure", isSecure: true).field(now: Self.now) == "io=a")
    }

    @Test("what can't be a cookie, or would break a request, is not kept")
    func malformed() {
        for field in ["", "io", "=a", "  =a", "io=a\u{7F}", "i\u{1}o=a", "io=a\r\nX: y"] {
            #expect(jar(field).field(now: Self.now) == nil, "\(field)")
        }
        #expect(jar("io=").field(now: Self.now) == "io=")
    }

    @Test("a server can neither fill the memory nor the request with its cookies")
    func bounds() {
        #expect(jar("io=" + String(repeating: "x", count: CookieJar.maximumSize)).field(now: Self.now) == nil)
        var jar = jar()
        for number in 0..<1_000 {
            jar.update(from: ["Set-Cookie": "c\(number)=v"], now: Self.now)
        }
        let pairs = jar.field(now: Self.now)?.split(separator: "; ")
        #expect(pairs?.count == CookieJar.maximumCount)
        #expect(pairs?.last == "c999=v")
    }
}
