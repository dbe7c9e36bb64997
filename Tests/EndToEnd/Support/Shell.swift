import Dispatch
import Foundation

/// A program that was run to its end.
struct Run: Sendable, CustomStringConvertible {
    var exit: Exit
    var output: [String]
    var errors: [String]
    /// Monotonic seconds, of the same clock as what sockets hear.
    var ended: Double

    var description: String {
        "\(exit); standard output: \(output.joined(separator: "\n")); standard error: \(errors.joined(separator: "\n"))"
    }
}

enum Shell {
    /// Monotonic seconds; on this machine the same clock as Python's.
    static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }

    /// Runs a program to its end.
    static func run(
        _ program: URL, _ arguments: [String], environment: [String: String] = [:], input: [String] = [],
        within deadline: Duration = .seconds(30)
    ) async throws -> Run {
        let child = try ChildProcess(program, arguments, environment: environment)
        for line in input { child.write(line: line) }
        child.closeInput()
        let exit = try await finished(child, within: deadline)
        return Run(
            exit: exit, output: child.output.elements, errors: child.errors.elements, ended: child.ended ?? now)
    }

    /// Runs statements in the `sqlite3` shell, as anybody does who has the file.
    @discardableResult
    static func sqlite(_ database: URL, _ statements: String) async throws -> Run {
        let run = try await run(
            URL(fileURLWithPath: "/usr/bin/env"), ["sqlite3", "-bail", "-cmd", ".timeout 10000", database.path],
            input: [statements])
        guard run.exit == .status(0), run.errors.isEmpty else { throw Failure(run: run, what: statements) }
        return run
    }

    private static func finished(_ child: ChildProcess, within deadline: Duration) async throws -> Exit {
        do {
            return try await child.waitForExit(within: deadline)
        } catch {
            try await child.end()
            throw error
        }
    }

    struct Failure: Error, CustomStringConvertible {
        var run: Run
        var what: String
        var description: String { "\(what) failed: \(run)" }
    }
}
