import Foundation
import RolecallProtocol
import Testing

@testable import RolecallCore

@Suite("Passwords")
struct PasswordHasherTests {
    private static let cheap = PasswordHasher.Parameters(logN: 4, r: 8, p: 1)

    @Test("a hash knows its password, is salted, and says its parameters")
    func verify() async throws {
        let hasher = PasswordHasher(parameters: Self.cheap)
        let hash = try await hasher.hash("correct horse")
        #expect(hash.hasPrefix("$scrypt$ln=4,r=8,p=1$"))
        #expect(try await hasher.hash("correct horse") != hash)
        #expect(try await hasher.verify("correct horse", against: hash) == .right)
        #expect(try await hasher.verify("wrong horse", against: hash) == .wrong)
        #expect(try await hasher.verify("anything", against: nil) == .wrong)
        try await hasher.shutdown()
    }

    @Test("a hash of other parameters is right but weak")
    func upgrade() async throws {
        let old = PasswordHasher(parameters: .init(logN: 3, r: 8, p: 1))
        let new = PasswordHasher(parameters: Self.cheap)
        let hash = try await old.hash("secret")
        #expect(try await new.verify("secret", against: hash) == .rightButWeak)
        #expect(try await new.verify("other", against: hash) == .wrong)
        try await old.shutdown()
        try await new.shutdown()
    }

    @Test(
        "what is no hash matches nothing and costs no unbounded memory",
        arguments: [
            "", "plain", "$scrypt$ln=99,r=8,p=1$AAAA$AAAA", "$scrypt$ln=4,r=8$AAAA$AAAA", "$scrypt$x$AAAA$AAAA",
            "$scrypt$ln=4,r=8,p=1$***$AAAA", "$scrypt$ln=4,r=8,p=-1$AAAA$AAAA", "$scrypt$ln=4,r=8,p=1$AAAA$",
        ])
    func malformed(hash: String) async throws {
        let hasher = PasswordHasher(parameters: Self.cheap)
        #expect(try await hasher.verify("", against: hash) == .wrong)
        try await hasher.shutdown()
    }

    @Test("hashing gives way to the rest of the process, but not to all that runs beside it")
    func priority() async throws {
        let before = try niceness()
        let own = try #require(before["\(ProcessInfo.processInfo.processIdentifier)"])
        let hasher = PasswordHasher(parameters: Self.cheap)
        _ = try await hasher.hash("x")
        let new = try niceness().filter { before[$0.key] == nil }
        #expect(new.values.contains(min(19, own + 5)), "\(new)")
        try await hasher.shutdown()
    }

    /// Of every thread of this process, by its number (proc(5)).
    private func niceness() throws -> [String: Int] {
        var found: [String: Int] = [:]
        for thread in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task") {
            // One that has ended meanwhile is no more.
            guard let text = try? String(contentsOfFile: "/proc/self/task/\(thread)/stat", encoding: .utf8) else {
                continue
            }
            let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
            found[thread] = fields.count > 17 ? Int(fields[17]) : nil
        }
        return found
    }

    @Test("past its queue it refuses at once in place of queueing more")
    func bounded() async throws {
        let hasher = PasswordHasher(parameters: .init(logN: 12, r: 8, p: 1), maximumWaiting: 2)
        let outcomes = await withTaskGroup(of: ErrorCode?.self) { group in
            for _ in 0..<12 {
                group.addTask {
                    do throws(DomainError) {
                        _ = try await hasher.hash("x")
                        return nil
                    } catch {
                        return error.wireError.code
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.contains(.busy))
        #expect(outcomes.contains(nil))
        try await hasher.shutdown()
    }
}
