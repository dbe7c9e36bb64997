import Foundation
import RolecallProtocol
import Synchronization
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

@Suite("How often a password may be guessed")
struct LoginLimiterTests {
    /// A clock that goes when it is told to.
    private final class Clock: Sendable {
        let milliseconds = Atomic<Int64>(1_000_000)
        func advance(_ seconds: Int64) { milliseconds.add(seconds * 1000, ordering: .relaxed) }
    }

    private func limiter(_ clock: Clock) -> LoginLimiter {
        LoginLimiter { clock.milliseconds.load(ordering: .relaxed) }
    }

    private func guesses(_ limiter: LoginLimiter, _ account: String, _ address: String?, _ count: Int) -> Int {
        (0..<count).count { _ in (try? limiter.begin(account: account, address: address).get()) != nil }
    }

    @Test("one stranger's guesses at an account end, however the account is spelt, and come back in time")
    func pair() {
        let clock = Clock()
        let limiter = limiter(clock)
        #expect(guesses(limiter, "Ann@example.com", "192.0.2.1", 30) == 10)
        #expect(limiter.begin(account: "ann@EXAMPLE.com", address: "192.0.2.1").refusal == .init(seconds: 6))
        clock.advance(6)
        #expect(guesses(limiter, "ann@example.com", "192.0.2.1", 5) == 1)
        // Others have their own allowance.
        #expect(guesses(limiter, "bob@example.com", "192.0.2.1", 5) == 5)
    }

    @Test("a single stranger can't lock an account for others; many can't lock out whoever has been there")
    func account() throws {
        let clock = Clock()
        let limiter = limiter(clock)
        limiter.succeeded(try limiter.begin(account: "ann", address: "198.51.100.7").get())
        #expect(guesses(limiter, "ann", "192.0.2.1", 100) == 10)
        #expect(guesses(limiter, "ann", "203.0.113.9", 1) == 1)
        for number in 0..<200 { _ = guesses(limiter, "ann", "192.0.2.\(number)", 10) }
        #expect(guesses(limiter, "ann", "203.0.113.10", 1) == 0)
        #expect(guesses(limiter, "ann", "198.51.100.7", 1) == 1)
        // At a new address it takes a moment.
        clock.advance(3)
        #expect(guesses(limiter, "ann", "203.0.113.10", 5) == 1)
    }

    @Test("an address has one allowance over all accounts")
    func address() {
        let clock = Clock()
        let limiter = limiter(clock)
        #expect((0..<200).count { guesses(limiter, "account \($0)", "192.0.2.1", 1) == 1 } == 60)
        #expect(guesses(limiter, "account 999", nil, 5) == 5)
    }

    @Test("right passwords are never counted")
    func right() throws {
        let limiter = limiter(Clock())
        for _ in 0..<1000 {
            limiter.succeeded(try limiter.begin(account: "ann", address: "192.0.2.1").get())
        }
        for _ in 0..<1000 { limiter.withdraw(try limiter.begin(account: "bob", address: "192.0.2.1").get()) }
    }

    @Test(
        "over HTTP guesses end with 429 and Retry-After, for known and unknown accounts alike, and a right password counts for nothing"
    )
    func overHTTP() async throws {
        try await LiveServer.run { server in
            var answers: [String: [Int]] = [:]
            for email in ["test@example.com", "nobody@example.com"] {
                for _ in 0..<12 {
                    let answer = try await server.signIn(email, "wrong")
                    answers[email, default: []].append(answer.status)
                    if answer.status == 429 {
                        #expect(answer.json["error"] == "too_many_attempts")
                        #expect(answer.headers["retry-after"].flatMap { Int($0) }.map { (1...6).contains($0) } == true)
                    } else {
                        #expect(answer.json["error"] == "invalid_credentials")
                    }
                }
            }
            #expect(answers["test@example.com"] == Array(repeating: 401, count: 10) + [429, 429])
            #expect(answers["test@example.com"] == answers["nobody@example.com"])
            for _ in 0..<15 { #expect(try await server.signIn("admin@example.com", "admin").status == 200) }
        }
    }
}

extension Result where Failure == LoginLimiter.Refusal {
    fileprivate var refusal: Failure? {
        if case .failure(let refusal) = self { refusal } else { nil }
    }
}
