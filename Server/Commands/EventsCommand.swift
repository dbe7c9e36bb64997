import ArgumentParser
import Foundation
import Logging
import ModelStore
import RolecallConfiguration
import RolecallProtocol
import SQLiteStore

/// `rolecall-server events …`: the log's length, and what is erased from it. A running server follows at once.
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Prunes the log, and erases from it what must not be kept.",
        subcommands: [PruneEventsCommand.self, EraseEventsCommand.self])
}

struct PruneEventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Forgets the oldest entries, as the server does by itself under retention.",
        discussion: "Whoever comes back from before them is told of a gap, and reloads.")

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
            let before = age.map { Timestamp(milliseconds: Timestamp.now.milliseconds - Int64($0) * 1000) }
            let keep = keep
            try await models.withStore { store in
                var total = 0
                while true {
                    let count = try await store.write(by: nil) {
                        try $0.pruneEvents(before: before, keeping: keep, through: .max, limit: 1000)
                    }.value
                    total += count
                    if count == 0 { break }
                }
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
                if let name, let text {
                    guard let model = store.models.first(where: { $0.name == name }) else {
                        let names = store.models.map(\.name).joined(separator: ", ")
                        throw StartupError("There is no model \(name); there are \(names).")
                    }
                    guard let key = RowKey.value(text: text, of: model) else {
                        throw StartupError("\(text) can't be the _id of a \(name).")
                    }
                    let count = try await store.write(by: nil) { try $0.eraseEvents(of: model, key: key) }.value
                    print("erased \(count) \(count == 1 ? "event" : "events") of \(name) \(text)")
                }
                if let email {
                    let count = try await store.write(by: nil) { transaction in
                        try transaction.eraseActor(Account.find(email, in: transaction).id)
                    }.value
                    print("took the name of \(email) off \(count) \(count == 1 ? "event" : "events")")
                }
            }
        }
    }
}
