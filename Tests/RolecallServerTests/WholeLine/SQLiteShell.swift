import Dispatch
import Foundation
import Glibc
import TestSupport

/// The database's own shell, in a process of its own that stays: another program that has the database open.
///
/// Unchecked: what it holds is used on its queue alone.
final class SQLiteShell: @unchecked Sendable {
    /// What a script printed.
    struct Output: Sendable {
        var lines: [String]
        /// Constraints that have refused a statement; the script went on behind it.
        var refusals: [String]
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private static let mark = "-- that was all --"

    private let queue = DispatchQueue(label: "sqlite3")
    private let descriptor: Int32
    private let process: pid_t
    private var unread: [UInt8] = []

    init(_ path: String) throws {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw Failure(description: "There is no pair of sockets: \(errno).")
        }
        descriptor = ends[0]
        defer { close(ends[1]) }
        process = try spawn(
            ["sqlite3", "-cmd", ".timeout 20000", "-cmd", "PRAGMA foreign_keys = ON", path],
            environment: ProcessInfo.processInfo.environment,
            descriptors: [.copy(of: ends[1]), .copy(of: ends[1]), .copy(of: ends[1])])
    }

    /// Runs a script to its end.
    ///
    /// - Throws: where a statement fails by anything but a constraint: no script of a test should.
    @discardableResult
    func run(_ script: String) async throws -> Output {
        let text = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: self.answer(to: script + "\n.print \(Self.mark)\n")) }
        }
        guard let text else { throw Failure(description: "The shell has ended at: \(script)") }
        var output = Output(lines: [], refusals: [])
        for line in text.split(separator: "\n").map(String.init) {
            if line.contains("rror") && (line.contains("constraint failed") || line.contains("datatype mismatch")) {
                output.refusals.append(line)
            } else if line.hasPrefix("Parse error") || line.hasPrefix("Runtime error") || line.hasPrefix("Error") {
                throw Failure(description: "\(line)\n\(script)")
            } else {
                output.lines.append(line)
            }
        }
        return output
    }

    func end() async {
        await withCheckedContinuation { continuation in
            queue.async {
                close(self.descriptor)
                var status: Int32 = 0
                waitpid(self.process, &status, 0)
                continuation.resume()
            }
        }
    }

    private func answer(to script: String) -> String? {
        var rest = Array(script.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return nil }
            rest = rest.dropFirst(count)
        }
        var answer: [UInt8] = []
        let mark = Array("\(Self.mark)\n".utf8)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while answer.suffix(mark.count) != mark[...] {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            answer += buffer[..<count]
        }
        return String(decoding: answer.dropLast(mark.count), as: UTF8.self)
    }
}
