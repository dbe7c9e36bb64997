import NIOCore
import Synchronization

/// The bounded queue between the event loop and the one consumer of ``SocketIONamespace/incoming``.
///
/// What waits can be taken one by one or all at once: a consumer that is woken for each of ten thousand events a second
/// spends more on the waking than on the events.
final class SocketIOIncomingQueue: Sendable {
    private struct State {
        var waiting = CircularBuffer<SocketIOIncoming>()
        /// Sleeps until there is something to take, or nothing will come.
        var consumer: CheckedContinuation<Void, Never>?
        /// Whether the consumer is about to be woken.
        var isWaking = false
        /// Whether the producer was told to stop, and not yet to go on.
        var isHeld = false
        /// The last element is in.
        var isFinished = false
        /// Nobody will take anything any more.
        var isAbandoned = false

        var isOver: Bool { isAbandoned || (isFinished && waiting.isEmpty) }
    }

    /// The most elements that wait; production resumes at half of them.
    private let limit: Int
    private let state = Mutex(State())
    private let demand: NIOLoopBoundBox<(() -> Void)?>

    /// - Parameter limit: how many elements may wait, at least one.
    init(limit: Int, eventLoop: any EventLoop) {
        self.limit = max(1, limit)
        demand = .makeEmptyBox(valueType: (() -> Void).self, eventLoop: eventLoop)
    }

    // MARK: The event loop's side

    /// Sets what is to happen when half of the queue is left or nobody will read any more. Only on the event loop.
    func setDemand(_ action: (() -> Void)?) {
        demand.value = action
    }

    /// Adds an element; drops it when nobody reads any more. Only on the event loop.
    ///
    /// - Returns: whether the queue is full, and nothing more should come before it demands more.
    func yield(_ element: SocketIOIncoming) -> Bool {
        let (isFull, wakes) = state.withLock { state in
            guard !state.isAbandoned, !state.isFinished else { return (false, false) }
            state.waiting.append(element)
            if state.waiting.count >= limit { state.isHeld = true }
            guard state.consumer != nil, !state.isWaking else { return (state.isHeld, false) }
            state.isWaking = true
            return (state.isHeld, true)
        }
        // When this turn of the loop is over: what was read together is taken together.
        if wakes { demand.eventLoop.execute { self.wake() } }
        return isFull
    }

    /// Has the consumer take what there is, if it sleeps.
    func wake() {
        let consumer = state.withLock { state in
            state.isWaking = false
            return state.consumer.take()
        }
        consumer?.resume()
    }

    /// Nothing follows.
    func finish() {
        state.withLock { $0.isFinished = true }
        wake()
    }

    /// Whether the consumer sleeps.
    var isAwaited: Bool { state.withLock { $0.consumer != nil } }

    // MARK: The consumer's side

    /// The next element; nil when it is over. Cancelling the task ends it for good.
    func next(isolation: isolated (any Actor)? = #isolation) async -> SocketIOIncoming? {
        await take(isolation: isolation) { $0.popFirst() }
    }

    /// All that waits, at least one element; nil when it is over. Cancelling the task ends it for good.
    func nextBatch(isolation: isolated (any Actor)? = #isolation) async -> [SocketIOIncoming]? {
        await take(isolation: isolation) { waiting in
            defer { waiting.removeAll(keepingCapacity: true) }
            return Array(waiting)
        }
    }

    private func take<Taken: Sendable>(
        isolation: isolated (any Actor)?, _ taking: @Sendable (inout CircularBuffer<SocketIOIncoming>) -> Taken?
    ) async -> Taken? {
        while true {
            if Task.isCancelled { abandon() }
            let (taken, isOver, isDemanding) = state.withLock { state -> (Taken?, Bool, Bool) in
                guard !state.isOver else { return (nil, true, false) }
                guard !state.waiting.isEmpty else { return (nil, false, false) }
                let taken = taking(&state.waiting)
                let isDemanding = state.isHeld && state.waiting.count <= limit / 2
                if isDemanding { state.isHeld = false }
                return (taken, false, isDemanding)
            }
            if isDemanding { produceMore() }
            if taken != nil || isOver { return taken }
            await arrival(isolation: isolation)
        }
    }

    private func arrival(isolation: isolated (any Actor)?) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation(isolation: isolation) { continuation in
                let isDue = state.withLock { state in
                    guard state.waiting.isEmpty, !state.isOver else { return true }
                    precondition(state.consumer == nil, "The elements have one consumer.")
                    state.consumer = continuation
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            abandon()
        }
    }

    /// Nobody will take anything any more: elements are dropped from now on, and don't stand in the way of
    /// acknowledgements.
    func abandon() {
        // What is dropped is let go of outside the lock: it may hold what ends with it.
        let (dropped, consumer) = state.withLock { state in
            guard !state.isAbandoned else { return (CircularBuffer<SocketIOIncoming>?.none, state.consumer.take()) }
            state.isAbandoned = true
            defer { state.waiting = CircularBuffer() }
            return (state.waiting, state.consumer.take())
        }
        guard dropped != nil else { return }
        consumer?.resume()
        produceMore()
    }

    private func produceMore() {
        demand.eventLoop.execute { [demand] in
            demand.value?()
        }
    }
}

/// What the elements of a queue are read through, by one consumer: when he lets go, or nobody can come any more, nobody
/// reads.
final class SocketIOIncomingElements: Sendable {
    private let queue: SocketIOIncomingQueue
    private let isIterated = Atomic(false)

    init(_ queue: SocketIOIncomingQueue) {
        self.queue = queue
    }

    deinit {
        if !isIterated.load(ordering: .relaxed) { queue.abandon() }
    }

    /// Only once: two consumers would take elements from each other.
    func iterate() -> Iteration {
        precondition(!isIterated.exchange(true, ordering: .relaxed), "The elements have one consumer.")
        return Iteration(queue)
    }

    final class Iteration: Sendable {
        let queue: SocketIOIncomingQueue

        fileprivate init(_ queue: SocketIOIncomingQueue) {
            self.queue = queue
        }

        deinit {
            queue.abandon()
        }
    }
}
