import Logging
import ModelStore
import RolecallProtocol
import Synchronization

/// Notes in the records when a sign-in was last used, without a write for each request.
///
/// A session is noted once in ``SessionRecord/touchInterval``; those that come up while a write is under way are noted
/// together by the next one.
package final class SessionUse: Sendable {
    /// How many sessions are remembered as noted lately; past that, some are noted again too soon, which the store
    /// overlooks.
    private static let capacity = 8192

    private struct State {
        var notedAt: [String: Timestamp] = [:]
        var due: Set<String> = []
        var isWriting = false
    }

    private let store: any AccountStore
    private let logger: Logger
    private let state = Mutex(State())

    package init(store: any AccountStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// A token of this session was presented; nil for one that belongs to none.
    func note(_ session: String?, at now: Timestamp = .now) {
        guard let session else { return }
        let begins = state.withLock { state in
            if let noted = state.notedAt[session], now.milliseconds - noted.milliseconds < SessionRecord.touchInterval {
                return false
            }
            if state.notedAt.count >= Self.capacity { state.notedAt.removeAll(keepingCapacity: true) }
            state.notedAt[session] = now
            state.due.insert(session)
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if begins { Task { await write() } }
    }

    private func write() async {
        while let sessions = next() {
            do {
                try await store.noteUse(of: sessions, at: .now, deadline: .standard)
            } catch {
                // Nothing depends on it; a server that ends has closed the store.
                logger.debug("the use of sessions could not be noted", metadata: ["error": .string("\(error)")])
            }
        }
    }

    private func next() -> Set<String>? {
        state.withLock { state in
            guard !state.due.isEmpty else {
                state.isWriting = false
                return nil
            }
            defer { state.due = [] }
            return state.due
        }
    }
}
