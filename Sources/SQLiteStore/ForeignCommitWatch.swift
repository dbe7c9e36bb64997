@preconcurrency import Dispatch
import GRDB
import Logging

/// Sees the commits of other processes, and among them those that change the schema.
///
/// SQLite tells nobody of a commit, but `PRAGMA data_version` on a connection that has no transaction open differs
/// after each one of another connection. It costs some microseconds: a look at the shared memory. The watch has a
/// connection and a queue of its own, so that neither waits for a statement of the server or makes one wait.
///
/// `@unchecked Sendable`: everything mutable is touched on `queue` only.
final class ForeignCommitWatch: @unchecked Sendable {
    /// How often it looks; the contract's delay for foreign commits is about this long.
    static let interval = DispatchTimeInterval.milliseconds(15)

    private let queue = DispatchQueue(label: "rolecall.sqlite.watch", qos: .userInitiated)
    private let timer: any DispatchSourceTimer
    private let followers: LogFollowers
    private let keeper: TriggerKeeper
    private let logger: Logger
    private var connection: DatabaseQueue?
    private var version: Int64?
    /// Of the schema in which the triggers were last known to be in place; nil where they must be looked after.
    private var schemaVersion: Int64?
    private var isFailing = false

    /// - Parameter schemaVersion: of the schema in which the triggers are in place.
    /// - Throws: the database's error where its connection can't be opened.
    init(
        path: String, schemaVersion: Int64, followers: LogFollowers, keeper: TriggerKeeper, logger: Logger
    ) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.label = "rolecall.sqlite.watch"
        // A lock that stops even this look is over by the next one, or at some later one.
        configuration.busyMode = .immediateError
        connection = try DatabaseQueue(path: path, configuration: configuration)
        self.schemaVersion = schemaVersion
        self.followers = followers
        self.keeper = keeper
        self.logger = logger
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.setEventHandler { [weak self] in self?.look() }
        timer.schedule(deadline: .now(), repeating: Self.interval, leeway: .milliseconds(2))
        timer.activate()
    }

    /// Ends the watch; nobody is called by it after this returns.
    func stop() {
        queue.sync {
            timer.cancel()
            try? connection?.close()
            connection = nil
        }
    }

    private func look() {
        guard let connection else { return }
        do {
            // Without a transaction: within one the version never changes.
            try connection.unsafeRead { db in
                let version = try db.first("PRAGMA data_version") { $0.integer(0) }
                guard version != self.version || schemaVersion == nil else { return }
                // The version first: a commit between these reads is then seen again, not missed.
                followers.raise(head: try EventLog.head(db))
                try look(atSchemaOf: db)
                self.version = version
            }
            isFailing = false
        } catch {
            if !isFailing {
                logger.warning("can't look for foreign commits at the moment", metadata: ["error": "\(error)"])
            }
            isFailing = true
        }
    }

    private func look(atSchemaOf db: Database) throws {
        let found = try db.first("PRAGMA schema_version") { $0.integer(0) }
        guard found != schemaVersion else { return }
        // Taken for kept until the keeper says otherwise: it must not be called again meanwhile.
        schemaVersion = found
        keeper.keep { [weak self] isKept in
            guard let self, !isKept else { return }
            // Not at once: what stops it, a lock or a full disk, seldom passes within one interval.
            queue.asyncAfter(deadline: .now() + .seconds(1)) { self.schemaVersion = nil }
        }
    }
}
