import Synchronization

/// What has been heard from somebody so far, in order, and a way to wait for more.
final class Transcript<Element: Sendable>: Sendable {
    struct Found: Sendable {
        /// Where it stands, counted from the first thing heard.
        var index: Int
        var element: Element
    }

    private struct Waiter {
        var start: Int
        var matches: @Sendable (Element) -> Bool
        var continuation: CheckedContinuation<Found, any Error>
        var failure: @Sendable (_ heard: [Element], _ ended: Bool) -> any Error
    }

    private struct State {
        var elements: [Element] = []
        var ended = false
        var waiters: [UInt64: Waiter] = [:]
        /// Those that were given up before they began to wait.
        var abandoned: Set<UInt64> = []
        var lastWaiter: UInt64 = 0
    }

    private let state = Mutex(State())

    var elements: [Element] { state.withLock { $0.elements } }
    var count: Int { state.withLock { $0.elements.count } }

    func append(_ element: Element) {
        let woken = state.withLock { state in
            let index = state.elements.count
            state.elements.append(element)
            var woken: [CheckedContinuation<Found, any Error>] = []
            for (id, waiter) in state.waiters where index >= waiter.start && waiter.matches(element) {
                woken.append(waiter.continuation)
                state.waiters[id] = nil
            }
            return woken.map { ($0, Found(index: index, element: element)) }
        }
        for (continuation, found) in woken { continuation.resume(returning: found) }
    }

    /// Nothing more will come: those that wait are told so.
    func finish() {
        let (waiters, heard) = state.withLock { state in
            state.ended = true
            defer { state.waiters = [:] }
            return (Array(state.waiters.values), state.elements)
        }
        for waiter in waiters { waiter.continuation.resume(throwing: waiter.failure(heard, true)) }
    }

    /// The first element at or after `start` that matches, waiting for it where it has not come yet.
    ///
    /// - Throws: ``Overdue`` with all that was heard instead, at the deadline or when nothing more can come.
    func first(
        from start: Int = 0, within deadline: Duration = .seconds(40), _ what: String,
        where matches: @escaping @Sendable (Element) -> Bool
    ) async throws -> Found {
        let id = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        let alarm = Task {
            try await Task.sleep(for: deadline)
            self.giveUp(id)
        }
        defer { alarm.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let waiter = Waiter(
                    start: start, matches: matches, continuation: continuation,
                    failure: { heard, ended in
                        Overdue(
                            what: what, deadline: deadline, ended: ended, heard: heard.dropFirst(start).map { "\($0)" })
                    })
                let answer: Result<Found, any Error>? = state.withLock { state in
                    for index in state.elements.indices.dropFirst(start) where matches(state.elements[index]) {
                        return .success(Found(index: index, element: state.elements[index]))
                    }
                    if state.ended || state.abandoned.remove(id) != nil {
                        return .failure(waiter.failure(state.elements, state.ended))
                    }
                    state.waiters[id] = waiter
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            giveUp(id)
        }
    }

    private func giveUp(_ id: UInt64) {
        let (waiter, heard) = state.withLock { state in
            let waiter = state.waiters.removeValue(forKey: id)
            if waiter == nil { state.abandoned.insert(id) }
            return (waiter, state.elements)
        }
        if let waiter { waiter.continuation.resume(throwing: waiter.failure(heard, false)) }
    }
}

/// Something that should have come and did not.
struct Overdue: Error, CustomStringConvertible {
    var what: String
    var deadline: Duration
    /// Whether the other side ended, so that it can't come any more.
    var ended: Bool
    var heard: [String]

    var description: String {
        let head = ended ? "the other side ended without \(what)" : "\(what) did not come within \(deadline)"
        let tail = heard.suffix(40).map { "\n    " + $0 }.joined()
        return heard.isEmpty ? head + "; nothing was heard" : head + "; heard:" + tail
    }
}
