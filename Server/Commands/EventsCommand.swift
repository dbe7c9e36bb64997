import ArgumentParser
import Foundation
import Logging
import RolecallCore

/// `rolecall-server events …`: the log's length, and what is erased from it. A running server follows at once.
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Prunes the log, and erases from it what must not be kept.",
        subcommands: [PruneEventsCommand.self, EraseEventsCommand.self])
}

struct PruneEventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Forgets the oldest entries, as the server does by itself under retention.",
        discussion: "A client that comes back from before them is sent a gap, and reloads.")

    @Option(help: ArgumentHelp("Forget what is older, in seconds, or as 30m, 5h, 7d.", valueName: "time"))
    var olderThan: String?
    @Option(help: ArgumentHelp("Forget all but so many newest.", valueName: "count"))
    var keep: Int?
    @OptionGroup var models: ModelOptions

    func validate() throws {
        guard olderThan != nil || keep != nil else { throw ValidationError("Say --older-than, --keep, or both.") }
        guard keep.map({ $0 >= 0 }) ?? true else { throw ValidationError("--keep is 0 or more.") }
    }

    func run() async throws {
        try await reportingStartupErrors {
            let settings = Settings(environment: [:])
            let age = try olderThan.map { try settings.duration("older-than", $0, default: 0) }
            let keep = keep
            try await models.withStore { store in
                let total = try await LogUpkeep(store: store).prune(olderThan: age, keeping: keep)
                print("forgot \(total) \(total == 1 ? "event" : "events")")
            }
        }
    }
}

struct EraseEventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase", abstract: "Erases a row's past from the log, or a person's name from what he has done.",
        discussion: """
            The row itself stays as it is, and so does the account. Who is connected is told of a gap of the row's model, \
            and reloads. Backups, and clients that were told, have what they have.
            """)

    @Option(help: "The row's model.")
    var model: String?
    @Option(help: "The row's _id.")
    var key: String?
    @Option(help: ArgumentHelp("The account's e-mail address.", valueName: "email"))
    var user: String?
    @OptionGroup var models: ModelOptions

    func validate() throws {
        guard (model == nil) == (key == nil), model != nil || user != nil else {
            throw ValidationError("Say --model and --key, or --user, or all three.")
        }
    }

    func run() async throws {
        try await reportingStartupErrors {
            let (name, text, email) = (model, key, user)
            try await models.withStore { store in
                let log = LogUpkeep(store: store)
                if let name, let text {
                    let count = try await log.erase(text, ofModel: name)
                    print("erased \(count) \(count == 1 ? "event" : "events") of \(name) \(text)")
                }
                if let email {
                    let user = try await OperatorAccounts(store: store, roles: []).find(email)
                    let count = try await log.eraseAuthor(user)
                    print("took the name of \(email) off \(count) \(count == 1 ? "event" : "events")")
                }
            }
        }
    }
}
