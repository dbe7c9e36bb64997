/// A screen without a terminal, for tests: keeps what it shows, counts what it paints, and hears what it is told.
@MainActor
public final class HeadlessScreen: Screen {
    public private(set) var size: Size
    public let capabilities: Capabilities
    public var listener: (@MainActor (TerminalEvent) -> Void)? {
        get { outlet.listener }
        set { outlet.listener = newValue }
    }

    /// What is shown now.
    public private(set) var shown: CellBuffer
    /// Where the cursor is shown, if it is.
    public private(set) var cursor: Position?
    /// How many cells have been painted since the screen was opened.
    public private(set) var paintedCells = 0
    /// How many presents painted something or moved the cursor.
    public private(set) var paintedFrames = 0
    /// How often it rang.
    public private(set) var bells = 0
    /// What was sent, in order.
    public private(set) var messages: [TerminalMessage] = []
    /// Whether the terminal is in somebody else's hands.
    public private(set) var isSuspended = false
    /// Whether ``close()`` was called.
    public private(set) var isClosed = false

    private let outlet = TerminalEventOutlet()
    private var wanted: (frame: CellBuffer, cursor: Position?)
    /// `false` while what is on the screen is not known to be ``shown``.
    private var isKnown = false

    public init(_ size: Size, _ capabilities: Capabilities = Capabilities()) {
        self.size = size
        self.capabilities = capabilities
        shown = CellBuffer(size)
        wanted = (shown, nil)
    }

    public func present(_ frame: CellBuffer, cursor: Position?) {
        guard !isClosed else { return }
        wanted = (frame, cursor)
        guard !isSuspended else { return }
        let frame = frame.fitted(to: size)
        let changes = frame.changes(since: isKnown ? shown : nil)
        let cursor = cursor.flatMap { Rect(size).contains($0) ? $0 : nil }
        guard !changes.isEmpty || cursor != self.cursor || !isKnown else { return }
        paintedCells += changes.reduce(0) { $0 + $1.columns.count }
        paintedFrames += 1
        shown = frame
        self.cursor = cursor
        isKnown = true
    }

    public func repaint() {
        isKnown = false
        present(wanted.frame, cursor: wanted.cursor)
    }

    public func bell() {
        if !isClosed, !isSuspended { bells += 1 }
    }

    @discardableResult
    public func send(_ message: TerminalMessage) -> Bool {
        guard !isClosed, !isSuspended, message.encoded(for: capabilities.notifications) != nil else { return false }
        messages.append(message)
        return true
    }

    public func suspend() {
        isSuspended = true
    }

    public func resume() {
        guard isSuspended, !isClosed else { return }
        isSuspended = false
        repaint()
    }

    public func stopProcess() {
        guard !isClosed else { return }
        suspend()
        resume()
        outlet.tell(.resumed)
    }

    public func close() {
        isClosed = true
        outlet.end()
    }

    /// Has the user, or the system, do something.
    public func receive(_ event: TerminalEvent) {
        if case .resize(let size) = event { resize(to: size) } else { outlet.tell(event) }
    }

    /// Has the user press keys.
    public func press(_ keys: Key...) {
        for key in keys { receive(.key(key)) }
    }

    /// Has the user type text.
    public func type(_ text: String) {
        for character in text { receive(.key(.character(character))) }
    }

    /// Gives the window another size, and tells.
    public func resize(to size: Size) {
        self.size = size
        shown = CellBuffer(size)
        isKnown = false
        outlet.tell(.resize(size))
    }
}
