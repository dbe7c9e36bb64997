import Foundation

/// Where the programs under test and their independent counterpart are.
enum Programs {
    /// The directory with `Package.swift`, upward from this file.
    static let packageRoot: URL? = {
        var directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        while directory.path != "/" {
            if FileManager.default.fileExists(atPath: directory.appendingPathComponent("Package.swift").path) {
                return directory
            }
            directory.deleteLastPathComponent()
        }
        return nil
    }()

    /// `rolecall-server`, from `ROLECALL_TEST_BIN` or else the debug build of this package.
    static func server() throws -> URL { try built("rolecall-server") }

    /// `rolecall`, from the same place.
    static func client() throws -> URL { try built("rolecall") }

    /// A Python with python-socketio, from `ROLECALL_TEST_PYTHON` or else `.build/python` of this package.
    static func python() throws -> URL {
        let given = ProcessInfo.processInfo.environment["ROLECALL_TEST_PYTHON"]
        let python =
            try given.map { URL(fileURLWithPath: $0) } ?? root().appendingPathComponent(".build/python/bin/python")
        guard FileManager.default.isExecutableFile(atPath: python.path) else {
            throw MissingProgram(
                "There is no Python with python-socketio at \(python.path). Scripts/test installs it and runs the tests."
            )
        }
        return python
    }

    /// The file beside these ones that the Python runs.
    static let peer = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("peer.py")

    static func readme() throws -> String {
        try String(contentsOf: root().appendingPathComponent("README.md"), encoding: .utf8)
    }

    static func root() throws -> URL {
        guard let packageRoot else { throw MissingProgram("There is no Package.swift above \(#filePath).") }
        return packageRoot
    }

    private static func built(_ name: String) throws -> URL {
        let given = ProcessInfo.processInfo.environment["ROLECALL_TEST_BIN"]
        let directory =
            try given.map { URL(fileURLWithPath: $0, isDirectory: true) }
            ?? root().appendingPathComponent(".build/debug")
        let program = directory.appendingPathComponent(name)
        guard FileManager.default.isExecutableFile(atPath: program.path) else {
            throw MissingProgram("There is no \(name) in \(directory.path). Scripts/test builds it and runs the tests.")
        }
        return program
    }
}

/// Something that the tests need and this machine lacks; a failure, never a reason to skip.
struct MissingProgram: Error, CustomStringConvertible {
    let description: String
    init(_ sentence: String) { description = sentence }
}

/// A directory of its own, gone with `remove()`.
struct TemporaryDirectory: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory
            .appendingPathComponent("rolecall-e2e-\(ProcessInfo.processInfo.processIdentifier)-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    func remove() { try? FileManager.default.removeItem(at: url) }

    func file(_ name: String) -> URL { url.appendingPathComponent(name) }
}

/// Runs `body` with a directory that is removed afterwards, whatever happens.
func withTemporaryDirectory<Result>(_ body: (TemporaryDirectory) async throws -> Result) async throws -> Result {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    return try await body(directory)
}
