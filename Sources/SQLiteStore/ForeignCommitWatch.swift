@preconcurrency import Dispatch
import GRDB
import Logging

/// Sees the commits of other processes.
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
    private let signal: ChangeSignal
    private let logger: Logger
    private var connection: DatabaseQueue?
    private var version: Int64?
    private var isFailing = false

    /// - Throws: the database's error where its connection can't be opened.
    init(path: String, signal: ChangeSignal, logger: Logger) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.label = "rolecall.sqlite.watch"
        // A lock that stops even this look is over by the next one, or at some later one.
        configuration.busyMode = .immediateError
        connection = try DatabaseQueue(path: path, configuration: configuration)
        self.signal = signal
        self.logger = logger
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.setEventHandler { [weak self] in self?.look() }
        timer.schedule(deadline: .now(), repeating: Self.interval, leeway: .milliseconds(2))
        timer.activate()
    }

    /// Ends the watch; no signal comes from it after this returns.
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
            let head = try connection.unsafeRead { db -> Int64? in
                let version = try db.first("PRAGMA data_version") { $0.integer(0) }
                guard version != self.version else { return nil }
                // The version first: a commit between the two reads is then seen again, not missed.
                self.version = version
                return try EventLog.head(db)
            }
            isFailing = false
            if let head { signal.raise(head: head) }
        } catch {
            // What it did not see must be looked at again.
            version = nil
            if !isFailing {
                logger.warning("can't look for foreign commits at the moment", metadata: ["error": "\(error)"])
            }
            isFailing = true
        }
    }
}
