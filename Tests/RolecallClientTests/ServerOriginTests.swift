import RolecallProtocol
import Testing

@testable import RolecallClient

@Suite("ServerOrigin")
struct ServerOriginTests {
    @Test(
        "one server has one spelling",
        arguments: [
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"), ("HTTP://Example.ORG", "http://example.org:80"),
            ("https://example.org", "https://example.org:443"), ("https://example.org:443/", "https://example.org:443"),
            ("http://example.org.:8080", "http://example.org:8080"), ("http://[::1]:9000", "http://[::1]:9000"),
            ("http://[0:0:0:0:0:0:0:1]:9000", "http://[::1]:9000"),
            ("http://[2001:DB8::0A]", "http://[2001:db8::a]:80"),
        ])
    func normalised(text: String, expected: String) throws {
        #expect(try ServerOrigin(parsing: text).description == expected)
    }

    @Test(
        "what names no server is refused in a sentence",
        arguments: [
            "", "127.0.0.1:9000", "ftp://x", "http://", "http:///", "http://:80", "http://x:0", "http://x:65536",
            "http://x:+1", "http://x:", "http://x:1:2", "http://x/path", "http://x?a", "http://x#a", "http://ä.org",
            "http://a b", "http://a\r\nb", "http://[::1", "http://[zz]", "http://[::1%eth0]", "http://[::1]x",
            "http://a//",
        ])
    func malformed(text: String) throws {
        let error = try #require(throws: ServerOrigin.Malformed.self) { try ServerOrigin(parsing: text) }
        #expect(error.description.hasSuffix("."))
    }

    @Test("a password in a URL is refused without being repeated")
    func credentials() throws {
        let error = try #require(throws: ServerOrigin.Malformed.self) {
            try ServerOrigin(parsing: "http://ann:hunter2@x")
        }
        #expect(!error.description.contains("hunter2"))
    }

    @Test("loopback is what never leaves the machine, strictly spelled")
    func loopback() throws {
        for text in [
            "http://127.0.0.1", "http://127.255.0.9:1", "http://localhost", "http://LOCALHOST.", "http://[::1]",
        ] {
            #expect(try ServerOrigin(parsing: text).isLoopback, "\(text)")
        }
        for text in [
            "http://127.0.0.1.example.org", "http://127.1", "http://0127.0.0.1", "http://128.0.0.1", "http://[::2]",
            "http://127.0.0.256", "http://localhost.example.org", "http://10.0.0.1", "http://127.0.0.1.1",
        ] {
            #expect(try !ServerOrigin(parsing: text).isLoopback, "\(text)")
        }
    }
}

@Suite("Token")
struct TokenTests {
    @Test("a token never shows, however it is printed")
    func hidden() throws {
        let token = try #require(Token("very-secret"))
        var dumped = ""
        dump(token, to: &dumped)
        for text in ["\(token)", String(reflecting: token), dumped, "\(Handshake(token: token, after: nil))"] {
            #expect(!text.contains("very-secret"))
        }
    }

    @Test("what could end a header or a cookie is no token")
    func refused() {
        for text in ["", "a b", "a\r\nX: y", "a;b", "a,b", "a\"b", "ä", "a\\b", String(repeating: "x", count: 8193)] {
            #expect(Token(text) == nil)
        }
    }

    @Test("the expiry is the payload's, where there is one")
    func expiry() {
        // {"alg":"HS256"} . {"_id":1,"exp":1795370701}
        #expect(
            Token("eyJhbGciOiJIUzI1NiJ9.eyJfaWQiOjEsImV4cCI6MTc5NTM3MDcwMX0.x")?.expiresAt
                == Timestamp(milliseconds: 1_795_370_701_000))
        for text in ["x", "a.b", "a.!.c", "a.eyJ9.c", "a..c", "a.e30.c"] { #expect(Token(text)?.expiresAt == nil) }
    }
}
