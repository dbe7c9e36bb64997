/// Where a screen's events come out: told to one listener, in the order in which they came.
///
/// What comes before there is a listener is kept for it; what comes while an event is being told follows it. After
/// ``TerminalEvent/endOfInput``, and after ``end()``, nothing is told.
@MainActor
final class TerminalEventOutlet {
    var listener: (@MainActor (TerminalEvent) -> Void)? {
        didSet { tellWaiting() }
    }
    private var waiting: [TerminalEvent] = []
    private var isTelling = false
    private var isOver = false

    func tell(_ event: TerminalEvent) {
        guard !isOver else { return }
        waiting.append(event)
        isOver = event == .endOfInput
        tellWaiting()
    }

    func end() {
        isOver = true
        waiting = []
        listener = nil
    }

    private func tellWaiting() {
        guard !isTelling else { return }
        isTelling = true
        while let listener, !waiting.isEmpty { listener(waiting.removeFirst()) }
        isTelling = false
    }
}
