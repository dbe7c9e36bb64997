import Logging
import NIOCore
import RolecallProtocol
import Testing

@testable import RolecallCore
@testable import RolecallServer

@Suite("How many accounts one address may make")
struct SignUpLimitTests {
    private let check = PasswordCheck(
        passwords: PasswordHasher(), limiter: LoginLimiter(), metrics: DomainMetrics(factory: MetricRegistry()))

    /// How many sign-ups in a row are let through, of 100, and the refusal of the next.
    private func admitted(_ address: String) throws -> (count: Int, refusal: DomainError?) {
        let peer = try SocketAddress(ipAddress: address, port: 4711)
        for count in 0..<100 {
            do throws(DomainError) {
                let origin = SignInService.Origin(peer: peer, agent: nil, logger: Logger(label: "test"))
                try check.admitSignUp(from: origin.limitedAddress)
            } catch {
                return (count, error)
            }
        }
        return (100, nil)
    }

    @Test("one address is refused after some, and told how long to wait; others are not concerned")
    func limited() throws {
        let first = try admitted("192.0.2.1")
        #expect((5...60).contains(first.count))
        #expect(first.refusal?.wireError.code == .tooManyAttempts)
        #expect(first.refusal?.wireError.message.contains("try again in") == true)
        #expect(try admitted("192.0.2.1").count == 0)
        #expect(try admitted("198.51.100.1").count == first.count)
    }

    @Test("the addresses of one IPv6 subscriber share an allowance; another subscriber has its own")
    func network() throws {
        let counts = try (1...10).map { try admitted("2001:db8:1:2:\($0)::1").count }
        #expect(counts[0] > 0)
        #expect(counts.last == 0)
        #expect(try admitted("2001:db8:1:3::1").count == counts[0])
    }

    @Test("this machine's own addresses, a proxy's as a rule, are not counted", arguments: ["127.0.0.1", "::1"])
    func local(_ address: String) throws {
        #expect(try admitted(address).count == 100)
    }
}
