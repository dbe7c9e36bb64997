import Synchronization

/// Wakes everybody who follows the log.
///
/// Each follower has a stream that keeps one signal. So a follower that is busy finds at most one when it comes back,
/// and never none after a commit that it has not seen.
final class ChangeSignal: Sendable {
    private struct State {
        var followers: [UInt64: AsyncStream<Void>.Continuation] = [:]
        var nextID: UInt64 = 0
        var head: Int64
        var isClosed = false
    }

    private let state: Mutex<State>

    /// - Parameter head: the log's head now.
    init(head: Int64) {
        state = Mutex(State(head: head))
    }

    /// A stream that yields once at once, and then after every growth of the log.
    func follow() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state -> UInt64? in
            guard !state.isClosed else { return nil }
            let id = state.nextID
            state.nextID += 1
            state.followers[id] = continuation
            return id
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.followers.removeValue(forKey: id) }
        }
        continuation.yield()
        return stream
    }

    /// Tells that the log's head is at this number. Nobody is woken where that is known: a commit of this process is
    /// seen twice, by its writer and by the watch for foreign ones.
    func raise(head: Int64) {
        let woken = state.withLock { state -> [AsyncStream<Void>.Continuation] in
            // Not only upwards: should somebody put an older database in place, that is news, too.
            guard head != state.head else { return [] }
            state.head = head
            return Array(state.followers.values)
        }
        for continuation in woken { continuation.yield() }
    }

    /// Ends every stream, and those asked for later.
    func close() {
        let ended = state.withLock { state -> [AsyncStream<Void>.Continuation] in
            state.isClosed = true
            defer { state.followers = [:] }
            return Array(state.followers.values)
        }
        for continuation in ended { continuation.finish() }
    }
}
