import Foundation
import Glibc
import TestSupport

/// The program under `Tests/TerminalProbe`, which lies beside the tests.
enum Probe {
    static let path: String = {
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("TerminalProbe").path
    }()

    /// What it runs with, besides a terminal type. Swift's own crash reports would take seconds.
    static let environment = [
        "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "LC_ALL": "C.UTF-8",
        "SWIFT_BACKTRACE": "enable=no", "TERM": "xterm-256color",
    ]
}

/// A directory that is gone when its owner is.
final class ScratchDirectory: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("terminal-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String) -> String { path + "/" + name }

    func read(_ name: String) -> String? {
        try? String(contentsOfFile: file(name), encoding: .utf8)
    }
}

/// Runs a program of the search path to its end; tells its exit code (−1 for a signal) and what it printed.
///
/// The environment is the probe's, without the TMUX of whoever runs the tests.
@discardableResult
func runCommand(_ words: [String], in directory: ScratchDirectory) -> (status: Int32, output: String) {
    let process: pid_t
    do throws(SpawnFailure) {
        let output = ChildDescriptor.newFile(directory.file("output"))
        process = try spawn(words, environment: Probe.environment, descriptors: [.nothing, output, .copy(of: 1)])
    } catch {
        return (-1, "\(error)")
    }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    return (status & 0x7F == 0 ? status >> 8 & 0xFF : -1, directory.read("output") ?? "")
}

/// Waits until `condition` holds, asking every 10 ms; says whether it did before the deadline.
func holds(within limit: Duration = .seconds(10), _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + limit
    while true {
        if try condition() { return true }
        if ContinuousClock.now >= deadline { return false }
        usleep(10_000)
    }
}
