import Foundation
import RolecallProtocol
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

@Suite("Where a token comes from")
struct PresentedTokenTests {
    @Test(
        "the token cookie is found among others, quoted or not",
        arguments: [
            ("token=abc", "abc"), ("a=b; token=abc; c=d", "abc"), ("token=\"abc\"", "abc"), ("token=%22abc%22", "abc"),
            (" token = abc ", "abc"), ("xtoken=abc", nil), ("token=", nil), ("token", nil), ("", nil),
            ("token=a=b", "a=b"),
        ] as [(String, String?)])
    func cookie(header: String, token: String?) {
        #expect(Cookies.token(in: [(name: "Cookie", value: header)]) == token)
    }

    @Test("an Authorization header of another scheme is nobody's token; an empty bearer's is a bad one")
    func otherScheme() {
        let headers = [(name: "authorization", value: "Basic abc"), (name: "cookie", value: "token=t")]
        #expect(PresentedToken.find(headers: headers) == PresentedToken(token: "t", source: .cookie))
        let empty = [(name: "authorization", value: "Bearer "), (name: "cookie", value: "token=t")]
        #expect(PresentedToken.find(headers: empty) == PresentedToken(token: "", source: .header))
        #expect(PresentedToken.find(auth: ["token": nil], headers: []) == nil)
        #expect(PresentedToken.find(auth: ["token": 5], headers: headers)?.source == .auth)
    }
}

@Suite("Which pages may use the cookie")
struct OriginPolicyTests {
    private let policy = OriginPolicy(allowed: ["https://App.example.org/", "http://other.example:8080"])

    @Test(
        "a handshake with a cookie needs an origin of our own, or a listed one",
        arguments: [
            ("http://127.0.0.1:9000", true), ("HTTP://127.0.0.1:9000", true), ("https://app.example.org", true),
            ("https://app.example.org:443", true), ("http://other.example:8080", true),
            ("http://other.example", false), ("http://127.0.0.1:9001", false), ("http://127.0.0.1", false),
            ("null", false), ("", false), ("http://evil.example", false),
            ("http://127.0.0.1:9000.evil.example", false),
        ])
    func handshake(origin: String, allowed: Bool) {
        let headers = [
            (name: "Host", value: "127.0.0.1:9000"), (name: "Cookie", value: "token=t"),
            (name: "Origin", value: origin),
        ]
        #expect((policy.refusal(ofHandshake: headers) == nil) == allowed)
        // Without a cookie there is nothing to steal.
        #expect(policy.refusal(ofHandshake: [headers[0], headers[2]]) == nil)
    }

    @Test("a native client sends no origin and is let in; a cross-site fetch without one is not")
    func withoutOrigin() {
        let native = [(name: "host", value: "h"), (name: "cookie", value: "token=t")]
        #expect(policy.refusal(ofHandshake: native) == nil)
        let foreign = native + [(name: "Sec-Fetch-Site", value: "cross-site")]
        #expect(policy.refusal(ofHandshake: foreign)?.code == .originRefused)
        #expect(policy.refusal(ofUnsafeCookieRequest: native)?.code == .originRefused)
    }
}

@Suite("The key file")
struct KeyFileTests {
    private func path() -> String { NSTemporaryDirectory() + "rolecall-key-\(UUID().uuidString)" }

    @Test("a key is made once, readable by its owner alone, and stays")
    func made() throws {
        let path = path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let key = try KeyFile.readOrMake(path)
        #expect(key.count >= KeyFile.minimumLength)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try KeyFile.readOrMake(path) == key)
        #expect(try KeyFile.read(path) == key)
    }

    @Test("the key is the file's bytes without the final newline, any bytes")
    func bytes() throws {
        let path = path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let key = [UInt8](128..<168)
        try Data(key + [10]).write(to: URL(fileURLWithPath: path))
        #expect(try KeyFile.read(path) == key)
    }

    @Test("a short key and a missing one are refused with a sentence")
    func refused() throws {
        let path = path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(throws: StartupError.self) { try KeyFile.read(path) }
        try Data("short\n".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: StartupError.self) { try KeyFile.read(path) }
        #expect(throws: StartupError.self) { try KeyFile.readOrMake(path) }
    }
}
