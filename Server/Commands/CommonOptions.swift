import ArgumentParser
import Foundation
import Logging
import ModelStore
import RolecallCore
import RolecallProtocol

/// Where the database is.
struct StorageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where database and key are kept ($XDG_DATA_HOME/rolecall).", valueName: "dir"))
    var data: String?
    @Option(help: ArgumentHelp("The database (rolecall.db in the data directory).", valueName: "sqlite:file"))
    var store: String?
    @Option(help: ArgumentHelp("A configuration file: roles, models, rules, settings.", valueName: "file"))
    var config: String?

    /// Reads the configuration file, where one is named. What is wrong in it is for the file to say.
    ///
    /// - Throws: ``StartupError`` where it can't be read.
    func load(_ environment: [String: String]) throws -> (settings: Settings, file: LoadedFile?) {
        var settings = Settings(environment: environment)
        guard let path = settings.text("config", config)?.text else { return (settings, nil) }
        let file = try LoadedFile(path: path)
        settings.file = file.settings
        settings.fileDirectory = file.directory
        return (settings, file)
    }

    /// Finds the data directory.
    ///
    /// - Parameter makesDirectory: whether it is made where it is missing.
    /// - Returns: the directory, and the database's URL with the place that it comes from.
    func resolve(
        _ settings: Settings, makesDirectory: Bool
    ) throws -> (directory: String, store: (url: String, source: String)) {
        let directory = try settings.path("data", data)?.text ?? Self.defaultDirectory(settings.environment)
        if makesDirectory { try make(directory) }
        guard let store = settings.storeURL(store) else {
            return (directory, (StoreURL.standard(in: directory), "--data"))
        }
        return (directory, (store.text, store.source))
    }

    private func make(_ directory: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
            let reason = cause.map { ": \(String(cString: strerror(Int32($0.code))))" } ?? ""
            throw StartupError("The data directory \(directory) can't be made\(reason). Name another with --data.")
        }
        guard FileManager.default.isWritableFile(atPath: directory) else {
            throw StartupError("The data directory \(directory) can't be written to; name another with --data.")
        }
    }

    /// The database that the options name, for a command that works on one.
    ///
    /// - Parameter makesDatabase: whether there need be none yet.
    /// - Throws: ``StartupError`` where there is none, and where a configuration file in this directory may mean another
    ///   one.
    func location(
        _ settings: Settings, makesDatabase: Bool = false, logger: Logger
    ) async throws -> any DatabaseLocation {
        let (directory, store) = try resolve(settings, makesDirectory: false)
        try refuseDoubt(settings, about: store.url)
        if makesDatabase, store.url == StoreURL.standard(in: directory) { try make(directory) }
        let location = try StoreURL.location(store.url, source: store.source, logger: logger)
        if !makesDatabase, !(try await location.exists()) {
            throw StartupError(
                "There is no database \(location.name); name another one with --config, --store or --data.")
        }
        return location
    }

    /// What a file is called that a stranger to it would expect to be used.
    private static let usualFile = "rolecall.yml"

    /// A command that names nothing would work on the user's own database, beside a file that names another.
    private func refuseDoubt(_ settings: Settings, about url: String) throws {
        let isNamed = [("config", config), ("store", store), ("data", data)].contains { option, given in
            settings.text(option, given) != nil
        }
        guard !isNamed, FileManager.default.fileExists(atPath: Self.usualFile) else { return }
        throw StartupError(
            """
            Which database? There is a \(Self.usualFile) here: --config \(Self.usualFile) means the one that it names, and \
            --store \(url) the one of this user.
            """)
    }

    private static func defaultDirectory(_ environment: [String: String]) throws -> String {
        if let base = environment["XDG_DATA_HOME"], base.hasPrefix("/") { return base + "/rolecall" }
        guard let home = environment["HOME"], !home.isEmpty else {
            throw StartupError("There is no home directory to keep data in; name one with --data.")
        }
        return home + "/.local/share/rolecall"
    }
}

/// What is logged, and how; always on standard error.
struct LoggingOptions: ParsableArguments {
    @Option(help: ArgumentHelp("trace, debug, info, notice, warning, error or critical (info).", valueName: "level"))
    var logLevel: String?
    @Option(help: ArgumentHelp("text or json (text).", valueName: "format"))
    var logFormat: String?

    func logger(_ settings: Settings) throws -> Logger {
        let levelName = settings.text("log-level", logLevel)
        guard let level = Logger.Level(rawValue: levelName?.text ?? "info") else {
            let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw StartupError("\(levelName?.source ?? "--log-level") is one of \(levels).")
        }
        let formatName = settings.text("log-format", logFormat)
        guard let format = LineLogHandler.Format(rawValue: formatName?.text ?? "text") else {
            throw StartupError("\(formatName?.source ?? "--log-format") is text or json.")
        }
        return Logger(label: "rolecall") { _ in LineLogHandler(format: format, level: level) }
    }
}

extension DomainError {
    /// For the person at the shell: what a client is not told, too, and which command helps.
    fileprivate var sentence: String {
        switch self {
        case .notFound(_, field: "email"):
            "\(wireError.message.dropLast()); \"rolecall-server user list\" shows those there are."
        case .invalidField(_, field: "role"):
            "\(wireError.message) Roles of a configuration file are known with --config."
        default: cause ?? wireError.message
        }
    }
}

/// Says in one sentence why something did not start, and ends with a status that is not 0.
func reportingStartupErrors(_ body: () async throws -> Void) async throws {
    let sentence: String
    do {
        return try await body()
    } catch let error as StartupError {
        sentence = error.description
    } catch let error as StoreError {
        sentence = error.description
    } catch let error as DomainError {
        sentence = error.sentence
    }
    // Behind what was logged before it.
    LineWriter.standardError.append(Array("rolecall-server: \(sentence)\n".utf8))
    throw ExitCode(1)
}
