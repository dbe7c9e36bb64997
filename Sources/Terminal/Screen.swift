/// A place to show frames and to hear from the user: ``CursesScreen`` on a terminal, ``HeadlessScreen`` in tests.
///
/// The contract, for both:
/// - **One frame at a time.** ``present(_:cursor:)`` shows the whole frame before it returns, and paints only cells that
///   differ from what is shown. Presenting the same frame again paints nothing and writes nothing.
/// - **Any size fits.** A frame smaller than the screen is filled up with plain spaces, a larger one is clipped.
///   After ``TerminalEvent/resize(_:)`` the next present paints everything.
/// - **One listener**, told of each event in the order they came, in the turn of the main queue that brought it; what
///   comes while one is being told follows it. What comes before there is a listener is kept for it. Nothing is told
///   after ``close()``, or after ``TerminalEvent/endOfInput``.
/// - **Nothing else writes to the terminal** while the screen is open and not suspended.
/// - **Suspended**, the terminal is as it was found and belongs to somebody else: frames are remembered, and the last
///   one is painted by ``resume()``.
/// - **``close()`` restores the terminal** and may be called any number of times; after it every other call does
///   nothing. The program's end and crashes restore it as well.
@MainActor
public protocol Screen: AnyObject {
    /// The size of the window now.
    var size: Size { get }

    /// What the terminal can do. Constant while the screen is open.
    var capabilities: Capabilities { get }

    /// Told of what comes in. Not a stream: before a key is answered nobody has to be woken.
    var listener: (@MainActor (TerminalEvent) -> Void)? { get set }

    /// Shows a frame, with the cursor at a place, or hidden.
    func present(_ frame: CellBuffer, cursor: Position?)

    /// Paints the last frame anew, every cell: something else wrote to the terminal (Ctrl-L).
    func repaint()

    /// Rings.
    func bell()

    /// Sends something that is not for the screen. `false` where it is too long or the terminal has nothing like it;
    /// `true` does not say that the terminal has obeyed.
    @discardableResult
    func send(_ message: TerminalMessage) -> Bool

    /// Hands the terminal back for a while.
    func suspend()

    /// Takes the terminal again and paints the last frame.
    func resume()

    /// What Ctrl-Z is for: hands the terminal back, stops the process, and when it is continued takes the terminal
    /// again, paints the last frame and tells by ``TerminalEvent/resumed``. Returns before all that. Where the process
    /// cannot be stopped, as without a shell, only the painting is left of it.
    func stopProcess()

    /// Restores the terminal for good and ends the events.
    func close()
}

extension Screen {
    /// Shows a frame without a cursor.
    public func present(_ frame: CellBuffer) { present(frame, cursor: nil) }
}

/// What a terminal can do.
public struct Capabilities: Hashable, Sendable {
    /// Frames are brought down to this; a view need only ask where it wants other signs in place of colours.
    public var colors: ColorDepth
    /// Whether the locale has all of Unicode. Where it has not, characters it lacks are shown as `?`.
    public var isUnicode: Bool
    /// Whether clicks and the wheel are reported.
    public var hasMouse: Bool
    /// Which notifications the terminal is known to show.
    public var notifications: NotificationStyle

    public init(
        colors: ColorDepth = .indexed256, isUnicode: Bool = true, hasMouse: Bool = true,
        notifications: NotificationStyle = .none
    ) {
        self.colors = colors
        self.isUnicode = isUnicode
        self.hasMouse = hasMouse
        self.notifications = notifications
    }

    /// The borders that the locale can show.
    public var lineArt: LineArt { isUnicode ? .unicode : .ascii }
}
