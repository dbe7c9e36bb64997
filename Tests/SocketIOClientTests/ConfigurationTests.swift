import Testing
import WireJSON

@testable import SocketIOClient

@Suite("Client configuration")
struct ConfigurationTests {
    @Test("the four schemes give host, port and whether to encrypt")
    func schemes() throws {
        let cases: [(String, Bool, String, Int)] = [
            ("http://h:9000", false, "h", 9000), ("ws://h", false, "h", 80),
            ("https://example.org", true, "example.org", 443),
            ("WSS://example.org:8443/", true, "example.org", 8443), ("http://127.0.0.1:1", false, "127.0.0.1", 1),
            ("http://[::1]:9000", false, "::1", 9000), ("https://[2001:db8::1]/", true, "2001:db8::1", 443),
            ("http://h:", false, "h", 80),
        ]
        for (url, isSecure, host, port) in cases {
            let configuration = try SocketIOClientConfiguration(url: url)
            #expect(configuration.isSecure == isSecure, "\(url)")
            #expect(configuration.host == host, "\(url)")
            #expect(configuration.port == port, "\(url)")
        }
    }

    @Test("what isn't the URL of a server is refused with what is wrong with it")
    func refusals() {
        let cases: [(String, SocketIOURLError)] = [
            ("", .schemeMissing), ("localhost:9000", .schemeMissing), ("//h", .schemeMissing),
            ("http:/h", .schemeMissing),
            ("ftp://h", .schemeUnsupported("ftp")), ("http://", .hostInvalid("")), ("http://:80", .hostInvalid("")),
            ("http://a b", .hostInvalid("a b")), ("http://h\r\nX: y", .hostInvalid("h\r\nX")),
            ("http://u:p@h", .credentialsInURL), ("http://h:0", .portInvalid("0")),
            ("http://h:65536", .portInvalid("65536")),
            ("http://h:+80", .portInvalid("+80")), ("http://h:8a", .portInvalid("8a")),
            ("http://h:99999999999999999999", .portInvalid("99999999999999999999")),
            ("http://h/chat", .pathUnsupported("/chat")), ("http://h?a=b", .suffixUnsupported("?a=b")),
            ("http://h/#x", .suffixUnsupported("#x")), ("http://[::1", .hostInvalid("[::1")),
            ("http://[::1]x", .hostInvalid("[::1]x")), ("http://[h]", .hostInvalid("[h]")),
        ]
        for (url, error) in cases {
            #expect(throws: error, "\(url)") { try SocketIOClientConfiguration(url: url) }
        }
    }

    @Test("the Host header leaves out the scheme's own port and brackets an IPv6 address")
    func authority() throws {
        #expect(try SocketIOClientConfiguration(url: "http://h:80").authority == "h")
        #expect(try SocketIOClientConfiguration(url: "http://h:443").authority == "h:443")
        #expect(try SocketIOClientConfiguration(url: "https://h:443").authority == "h")
        #expect(try SocketIOClientConfiguration(url: "http://[::1]:9").authority == "[::1]:9")
    }

    @Test("an IP address is never the name that TLS asks for")
    func serverName() throws {
        #expect(try SocketIOClientConfiguration(url: "https://127.0.0.1").tlsServerName == nil)
        #expect(try SocketIOClientConfiguration(url: "https://[::1]").tlsServerName == nil)
        #expect(try SocketIOClientConfiguration(url: "https://h").tlsServerName == "h")
        let named = try SocketIOClientConfiguration(url: "https://127.0.0.1").with { $0.serverHostname = "h" }
        #expect(named.tlsServerName == "h")
    }

    @Test("what would break the request, or smuggle something into it, is refused before anything is sent")
    func validation() async {
        let valid = SocketIOClientConfiguration(host: "h", port: 1)
        let broken: [SocketIOClientConfiguration] = [
            valid.with { $0.host = "" }, valid.with { $0.host = "h\r\nX: y" }, valid.with { $0.port = 0 },
            valid.with { $0.port = 65536 }, valid.with { $0.path = "socket.io" }, valid.with { $0.path = "/a b" },
            valid.with { $0.path = "/a?b" }, valid.with { $0.path = "/a\r\n" }, valid.with { $0.namespace = "chat" },
            valid.with { $0.namespace = "/a,b" }, valid.with { $0.headers = [("A", "b\r\nC: d")] },
            valid.with { $0.headers = [("A\n", "b")] }, valid.with { $0.headers = [("", "b")] },
            valid.with { $0.headers = [("A:", "b")] }, valid.with { $0.maximumUnreadElements = 0 },
            valid.with { ($0.isSecure, $0.trustRootsFile) = (true, "/nowhere/at/all.pem") },
        ]
        for configuration in broken {
            guard case .invalidConfiguration? = await connectError(configuration) else {
                Issue.record("accepted \(configuration) \(configuration.headers)")
                continue
            }
        }
    }

    @Test("secrets don't show when a configuration is printed")
    func description() {
        let configuration = SocketIOClientConfiguration(host: "h", port: 1).with {
            $0.headers = [("Authorization", "Bearer secret")]
            $0.auth = ["token": "secret"]
        }
        #expect("\(configuration)" == "http://h:1/socket.io/ /")
    }
}

@Suite("Reconnect backoff")
struct ReconnectBackoffTests {
    /// SplitMix64: the same numbers for the same seed.
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    @Test("delays double from one second to thirty, and begin again after a success")
    func doubling() {
        var backoff = ReconnectBackoff(jitter: 0)
        var generator = Seeded(state: 1)
        let delays = (0..<8).map { _ in backoff.next(using: &generator) }
        #expect(delays == [1, 2, 4, 8, 16, 30, 30, 30].map { .seconds($0) })
        #expect(backoff.attempts == 8)
        backoff.reset()
        #expect(backoff.attempts == 0)
        #expect(backoff.next(using: &generator) == .seconds(1))
    }

    @Test("the jitter stays within its bounds and uses the given generator")
    func jitter() {
        var generator = Seeded(state: 1)
        var seen: Set<Duration> = []
        for _ in 0..<200 {
            var backoff = ReconnectBackoff()
            let delay = backoff.next(using: &generator)
            #expect(delay >= .milliseconds(800) && delay <= .milliseconds(1200))
            seen.insert(delay)
        }
        #expect(seen.count > 100)
        var (one, other) = (Seeded(state: 5), Seeded(state: 5))
        var (first, second) = (ReconnectBackoff(), ReconnectBackoff())
        #expect(first.next(using: &one) == second.next(using: &other))
    }

    @Test("many failures overflow nothing")
    func manyFailures() {
        var backoff = ReconnectBackoff(maximum: .seconds(1 << 40), jitter: 0)
        var generator = Seeded(state: 1)
        for _ in 0..<1000 {
            #expect(backoff.next(using: &generator) <= .seconds(1 << 40))
        }
        #expect(backoff.next(using: &generator) == .seconds(1 << 30))
    }
}
