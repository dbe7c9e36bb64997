import Foundation

/// Where the programs are that these tests run.
enum Programs {
    /// `ProtocolFixture`, from `ROLECALL_TEST_BIN` or else the debug build of this package.
    static func fixture() throws -> String { try program("ProtocolFixture") }

    /// The example of a Hummingbird application, from the same place.
    static func chatExample() throws -> String { try program("ChatExample") }

    private static func program(_ name: String) throws -> String {
        let directory = try setting("ROLECALL_TEST_BIN") ?? root().appendingPathComponent(".build/debug").path
        return try executable(
            "\(directory)/\(name)", "There is no \(name) in \(directory). Scripts/test builds it and runs the tests.")
    }

    /// A Python with python-socketio, from `ROLECALL_TEST_PYTHON` or else `.build/python` of this package.
    static func python() throws -> String {
        let python =
            try setting("ROLECALL_TEST_PYTHON") ?? root().appendingPathComponent(".build/python/bin/python").path
        return try executable(
            python, "There is no Python with python-socketio at \(python). Scripts/test installs it and runs the tests."
        )
    }

    /// HAProxy, from the search path, or from where Debian puts it.
    static func haproxy() throws -> String {
        let folders = (setting("PATH") ?? "").split(separator: ":").map(String.init) + ["/usr/sbin"]
        let found = folders.map { $0 + "/haproxy" }.first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let found else {
            throw MissingProgram("There is no haproxy. Scripts/test installs it and runs the tests.")
        }
        return found
    }

    private static func setting(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

    private static func executable(_ path: String, _ otherwise: String) throws -> String {
        guard FileManager.default.isExecutableFile(atPath: path) else { throw MissingProgram(otherwise) }
        return path
    }

    /// The directory with `Package.swift`, upward from this file.
    private static func root() throws -> URL {
        var directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        while directory.path != "/" {
            if FileManager.default.fileExists(atPath: directory.appendingPathComponent("Package.swift").path) {
                return directory
            }
            directory.deleteLastPathComponent()
        }
        throw MissingProgram("There is no Package.swift above \(#filePath).")
    }
}

/// Something that the tests need and this machine lacks; a failure, never a reason to skip.
struct MissingProgram: Error, CustomStringConvertible {
    let description: String
    init(_ sentence: String) { description = sentence }
}
