import ArgumentParser
import Foundation
import Logging
import ModelStore
import RolecallConfiguration

/// `rolecall-server init`: a first configuration file, from what stands in a database.
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Writes a first configuration file from the tables of a database.",
        discussion: """
            Every table is a model in it that nobody but admins sees, until its rules say otherwise; what looks like a \
            password or a token is declared secret. The database is only read.
            """)

    @Option(help: ArgumentHelp("The database.", valueName: "sqlite:file"))
    var store: String
    @Option(help: ArgumentHelp("The file to write; - for standard output.", valueName: "file"))
    var config = "rolecall.yml"

    func run() async throws {
        try await reportingStartupErrors {
            let location = try StoreURL.location(
                store, logger: Logger(label: "rolecall") { _ in SwiftLogNoOpLogHandler() })
            guard try await location.exists() else { throw StartupError("There is no database \(location.name).") }
            var schema = try await location.schema()
            // As the file will name it: paths in it are taken from its own directory.
            let directory =
                config == "-"
                ? FileManager.default.currentDirectoryPath
                : URL(fileURLWithPath: config).deletingLastPathComponent().path
            schema.name = StoreURL.relative(store, to: directory)
            schema.storeURL = schema.name
            let text = ConfigurationFile.draft(for: schema)
            if config == "-" { return print(text, terminator: "") }
            try write(text)
            print("wrote \(config); go on with: rolecall-server check --config \(config)")
        }
    }

    /// Never over a file that is there: it may hold rules.
    private func write(_ text: String) throws {
        let descriptor = open(config, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            guard errno == EEXIST else {
                throw StartupError("\(config) can't be written: \(String(cString: strerror(errno))).")
            }
            throw StartupError("\(config) is there already, and is left as it is; name another with --config.")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: Data(text.utf8))
            try handle.close()
        } catch {
            throw StartupError("\(config) can't be written: \(error.localizedDescription)")
        }
    }
}
