import ArgumentParser
import Foundation
import Glibc
import Logging
import ModelStore
import RolecallConfiguration

/// `rolecall-server models …`: what Rolecall has put into a database, and what it would.
struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "Attaches tables, so that their changes are told, and detaches them.",
        subcommands: [
            ModelStatusCommand.self, AttachModelsCommand.self, SyncModelsCommand.self, DetachModelsCommand.self,
        ], defaultSubcommand: ModelStatusCommand.self)
}

/// What these commands share: a database, and the models that the configuration makes of it.
struct ModelOptions: ParsableArguments {
    @OptionGroup var storage: StorageOptions

    /// - Throws: as starting the server would.
    func resolve() async throws -> (location: any DatabaseLocation, options: OpeningOptions) {
        let (settings, file) = try storage.load(ProcessInfo.processInfo.environment)
        let location = try await storage.location(settings, logger: logger)
        var configuration = Configuration(
            storeURL: try storage.resolve(settings, makesDirectory: false).store.url, keyPath: "")
        configuration.file = file
        let resolved = try await configuration.resolved(at: location)
        return (location, OpeningOptions(models: resolved.models, memberships: resolved.memberships))
    }

    /// Opens the database for one piece of work.
    func withStore(_ body: (any Store) async throws -> Void) async throws {
        let (location, options) = try await resolve()
        let store = try await location.open(options)
        do {
            try await body(store)
        } catch {
            try? await store.close()
            throw error
        }
        try await store.close()
    }

    var logger: Logger { Logger(label: "rolecall") { _ in LineLogHandler(format: .text, level: .warning) } }
}

struct ModelStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Says which models are attached, and what is not as it should be.")

    @OptionGroup var options: ModelOptions

    func run() async throws {
        try await reportingStartupErrors {
            let (location, opening) = try await options.resolve()
            for status in try await location.status(of: opening.models) { print(status.description) }
        }
    }
}

struct AttachModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach",
        abstract: "Puts what tells their changes into the tables of the configuration's models.",
        discussion: """
            It first shows what it will put into the database, and asks. What it puts there are tables of its own, called \
            rolecall_…, and triggers on the models' tables. No statement of another program that reads or writes rows \
            fails or does anything else because of them. What SQLite refuses on any table with triggers is to drop a \
            column that they name: detach the model first. "models detach" takes them out.
            """)

    @OptionGroup var options: ModelOptions
    @Flag(help: "Do not ask.")
    var yes = false
    @Flag(help: "Show the statements, too.")
    var sql = false

    func run() async throws {
        try await reportingStartupErrors {
            let (location, opening) = try await options.resolve()
            try await Attachment.carryOut(at: location, opening, isAgreed: yes, showsSQL: sql)
        }
    }
}

struct SyncModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Brings attached tables up to date: columns that were added since are told from now on.",
        discussion: "A running server tells them after its next start.")

    @OptionGroup var options: ModelOptions
    @Flag(help: "Show the statements, too.")
    var sql = false

    func run() async throws {
        try await reportingStartupErrors {
            let (location, opening) = try await options.resolve()
            let plan = try await location.plan(opening)
            guard !plan.needsConsent else {
                throw StartupError(
                    "There are models that have never been attached: \"rolecall-server models attach\" shows and asks.")
            }
            try await Attachment.carryOut(at: location, opening, isAgreed: true, showsSQL: sql)
        }
    }
}

struct DetachModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detach", abstract: "Takes what tells their changes out of tables again.",
        discussion: "End the server first: it would put back what is missing.")

    @OptionGroup var options: ModelOptions
    @Argument(help: "The models.")
    var models: [String] = []
    @Flag(help: "All that Rolecall has put into the database: accounts, sessions, messages and the log, too.")
    var everything = false
    @Flag(help: "Do not ask.")
    var yes = false

    func validate() throws {
        guard everything == models.isEmpty else {
            throw ValidationError("Name the models to detach, or --everything.")
        }
    }

    func run() async throws {
        try await reportingStartupErrors {
            let (settings, _) = try options.storage.load(ProcessInfo.processInfo.environment)
            let location = try await options.storage.location(settings, logger: options.logger)
            if everything, !yes {
                try Attachment.ask("Accounts, sessions, messages and the log of \(location.name) will be gone. Go on?")
            }
            let done = try await location.detach(models, everything: everything)
            for sentence in done { print(sentence) }
            if done.isEmpty { print("there was nothing to take out") }
        }
    }
}

/// Showing, asking and doing.
private enum Attachment {
    static func carryOut(
        at location: any DatabaseLocation, _ options: OpeningOptions, isAgreed: Bool, showsSQL: Bool
    ) async throws {
        let plan = try await location.plan(options)
        guard !plan.isEmpty else { return print("everything is in place in \(location.name)") }
        print("into \(location.name):")
        for step in plan.steps {
            print("  \(step.sentence)")
            if showsSQL { print("    \(step.sql.replacingOccurrences(of: "\n", with: "\n    "))") }
        }
        if !isAgreed, plan.needsConsent { try ask("Go on?") }
        try await location.attach(options)
        print("done")
    }

    /// - Throws: ``StartupError`` where the answer is no, or there is no terminal to ask on.
    static func ask(_ question: String) throws {
        guard isatty(STDIN_FILENO) == 1 else {
            throw StartupError("Nothing was changed: there is no terminal to ask on; --yes agrees.")
        }
        print("\(question) [y/N] ", terminator: "")
        fflush(nil)
        guard let answer = readLine()?.lowercased(), ["y", "yes"].contains(answer) else {
            throw StartupError("Nothing was changed.")
        }
    }
}
