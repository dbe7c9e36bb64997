import Foundation

/// Where the programs under test are.
enum Programs {
    /// `rolecall-server`, from `ROLECALL_TEST_BIN` or else the debug build of this package.
    static func server() throws -> URL { try built("rolecall-server") }

    /// `rolecall`, from the same place.
    static func client() throws -> URL { try built("rolecall") }

    private static func built(_ name: String) throws -> URL {
        let given = ProcessInfo.processInfo.environment["ROLECALL_TEST_BIN"]
        let directory =
            try given.map { URL(fileURLWithPath: $0, isDirectory: true) }
            ?? root().appendingPathComponent(".build/debug")
        let program = directory.appendingPathComponent(name)
        guard FileManager.default.isExecutableFile(atPath: program.path) else {
            throw Missing("There is no \(name) in \(directory.path). Scripts/test builds it and runs the tests.")
        }
        return program
    }

    /// The directory with `Package.swift`, upward from this file.
    static func root() throws -> URL {
        var directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        while directory.path != "/" {
            if FileManager.default.fileExists(atPath: directory.appendingPathComponent("Package.swift").path) {
                return directory
            }
            directory.deleteLastPathComponent()
        }
        throw Missing("There is no Package.swift above \(#filePath).")
    }
}

/// Something that the tests need and that is not there; a failure, never a reason to skip.
struct Missing: Error, CustomStringConvertible {
    let description: String
    init(_ sentence: String) { description = sentence }
}

/// A directory of a test's own, gone when nobody holds it any more.
final class Scratch: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("rolecall-screen-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    func read(_ name: String) -> String? { try? String(contentsOfFile: path(name), encoding: .utf8) }
}

/// Runs a program to its end.
///
/// - Returns: what it wrote, to both outputs.
/// - Throws: ``Missing`` where it fails.
@discardableResult
func runShell(
    _ program: String, _ arguments: [String], environment: [String: String] = [:], input: String? = nil
) async throws -> String {
    let scratch = try Scratch()
    try Data((input ?? "").utf8).write(to: scratch.url.appendingPathComponent("in"))
    let child = try Child(
        program, arguments, environment: environment, from: scratch.path("in"), to: scratch.path("out"))
    let isOver = try await holds { child.status() != nil }
    let text = scratch.read("out") ?? ""
    guard isOver, child.status() == 0 else {
        child.kill()
        throw Missing("\(program) \(arguments) fails: \(text)")
    }
    return text
}

/// This process's environment, with nothing in it of Rolecall's or of a tmux that the tests run in.
var cleanEnvironment: [String: String] {
    var environment = ProcessInfo.processInfo.environment.filter {
        !$0.key.hasPrefix("ROLECALL_") && !$0.key.hasPrefix("XDG_") && !$0.key.hasPrefix("TMUX")
    }
    environment["NO_COLOR"] = nil
    environment["LC_ALL"] = "C.UTF-8"
    return environment
}

/// Asks until it holds, for so long. Other tests run meanwhile.
func holds(within time: Duration = .seconds(60), _ condition: () async throws -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + time
    while try await !condition() {
        if ContinuousClock.now > deadline { return false }
        try await Task.sleep(for: .milliseconds(30))
    }
    return true
}
