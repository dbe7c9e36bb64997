import Dispatch
import Foundation
import GRDB
import Logging
import RolecallProtocol
import Synchronization

/// Sees the commits of other processes, and among them those that change the schema.
///
/// SQLite announces no commit to other connections, but `PRAGMA data_version` on a connection that has no transaction
/// open differs after each one of another connection. It costs some microseconds: a look at the shared memory. The watch
/// has a connection of its own, so that it neither waits for a statement of the server nor makes one wait; and a thread
/// of its own, since a timer of Dispatch would wake two for each look.
final class ForeignCommitWatch: Sendable {
    /// How often it looks; the contract's delay for foreign commits is about this long.
    static let interval = DispatchTimeInterval.milliseconds(15)

    /// How long it waits after the triggers could not be looked after: what stops that, a lock or a full disk, seldom
    /// passes within one interval.
    private static let pause = Duration.seconds(1)

    private struct State {
        /// Nil once the watch has ended.
        var connection: DatabaseQueue?
        var version: Int64?
        /// Of the log, at the last look.
        var era: Era
        /// Of the schema in which the triggers were last known to be in place.
        var schemaVersion: Int64
        /// When the triggers must be looked after although the schema is the same.
        var keepsAgain: ContinuousClock.Instant?
        var isFailing = false
    }

    private let state: Mutex<State>
    private let stopped = DispatchSemaphore(value: 0)
    private let followers: LogFollowers
    private let identityFollowers: LogFollowers
    private let keeper: TriggerKeeper
    private let logger: Logger

    /// - Parameters:
    ///   - schemaVersion: of the schema in which the triggers are in place.
    ///   - era: of the log when it was opened.
    /// - Throws: the database's error where its connection can't be opened.
    init(
        path: String, schemaVersion: Int64, era: Era, followers: LogFollowers, identityFollowers: LogFollowers,
        keeper: TriggerKeeper, logger: Logger
    ) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.label = "rolecall.sqlite.watch"
        // A lock that stops even this look is over by the next one, or at some later one.
        configuration.busyMode = .immediateError
        let connection = try DatabaseQueue(path: path, configuration: configuration)
        state = Mutex(State(connection: connection, era: era, schemaVersion: schemaVersion))
        self.followers = followers
        self.identityFollowers = identityFollowers
        self.keeper = keeper
        self.logger = logger
        let thread = Thread { [self] in
            repeat { look() } while stopped.wait(timeout: .now() + Self.interval) == .timedOut
        }
        thread.name = "log watch"
        thread.start()
    }

    /// Ends the watch; it calls nothing after this returns.
    func stop() {
        state.withLock { state in
            try? state.connection?.close()
            state.connection = nil
        }
        stopped.signal()
    }

    private func look() {
        state.withLock { state in
            guard let connection = state.connection else { return }
            do {
                // Without a transaction: within one the version never changes.
                try connection.unsafeRead { db in try look(with: db, &state) }
                state.isFailing = false
            } catch {
                if !state.isFailing {
                    logger.warning("can't look for foreign commits at the moment", metadata: ["error": "\(error)"])
                }
                state.isFailing = true
            }
        }
    }

    private func look(with db: Database, _ state: inout State) throws {
        let isDue = state.keepsAgain.map { $0 <= .now } ?? false
        let version = try db.first("PRAGMA data_version") { $0.integer(0) }
        guard version != state.version || isDue else { return }
        // The version first: a commit between these reads is then seen again, not missed.
        let (place, schemaVersion) = try db.transaction(.deferred) {
            (try EventLog.place(db), try db.first("PRAGMA schema_version") { $0.integer(0) } ?? 0)
        }
        state.version = version
        // First, and on threads of their own: the identity feed waits for no reading of the log.
        identityFollowers.raiseSoon(head: place.identityHead)
        followers.raise(head: place.head, in: db)
        if state.era != place.era {
            state.era = place.era
            identityFollowers.wake()
            followers.wake()
        }
        guard schemaVersion != state.schemaVersion || isDue else { return }
        // Taken for kept until the keeper says otherwise: it must not be called again meanwhile.
        state.schemaVersion = schemaVersion
        state.keepsAgain = nil
        keeper.keep { [weak self] isKept in
            guard !isKept else { return }
            self?.state.withLock { $0.keepsAgain = .now + Self.pause }
        }
    }
}
