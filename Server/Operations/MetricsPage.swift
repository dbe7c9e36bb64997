import Dispatch

/// The text of `/metrics`, made on a thread that is neither an event loop's nor one that Swift's tasks share: it reads
/// files of the system's and has every instrument's text to put together.
///
/// One text is made at a time. Requests that come meanwhile share the next one, so that each is answered with what was
/// counted before it came, and no number of requests makes more than one text wait.
actor MetricsPage {
    private let make: @Sendable () -> String
    private let queue = DispatchQueue(label: "rolecall.metrics")
    /// The one that was begun last.
    private var begun: Task<String, Never>?
    /// The one that begins when that one is made.
    private var next: Task<String, Never>?

    /// - Parameter make: may block; it is called by one thread at a time.
    init(_ make: @escaping @Sendable () -> String) {
        self.make = make
    }

    func text() async -> String {
        if let next { return await next.value }
        let task = Task { [begun] in
            _ = await begun?.value
            begin()
            return await withCheckedContinuation { continuation in
                queue.async { [make] in continuation.resume(returning: make()) }
            }
        }
        next = task
        return await task.value
    }

    private func begin() {
        begun = next
        next = nil
    }
}
