import Glibc

/// What comes in from the terminal and from the system, in the order it came.
public enum TerminalEvent: Hashable, Sendable {
    case key(Key)
    case mouse(Mouse)
    case paste(Paste)
    /// The window has another size now; the next ``Screen/present(_:cursor:)`` paints everything.
    case resize(Size)
    case signal(TerminalSignal)
    /// The process was stopped and runs again, in the foreground; the last frame has been painted anew.
    case resumed
    /// Nobody can type any more: the terminal is gone. The last event.
    case endOfInput
}

/// A signal that asks the program to end. The screen does not end it: close the screen, then exit with
/// ``exitCode``. (If the program has not even read the first one after a second, another one ends it, with the terminal
/// restored.)
public enum TerminalSignal: Hashable, Sendable, CaseIterable {
    /// SIGINT from outside; Ctrl-C is the key `.control("c")`.
    case interrupt
    /// SIGTERM
    case terminate
    /// SIGHUP: the terminal was closed.
    case hangUp
    /// SIGQUIT
    case quit

    /// The signal's number, as in `kill`.
    public var number: Int32 {
        switch self {
        case .hangUp: SIGHUP
        case .interrupt: SIGINT
        case .quit: SIGQUIT
        case .terminate: SIGTERM
        }
    }

    /// What a shell shows for a program that the signal ended: 128 and the number.
    public var exitCode: Int32 { 128 + number }
}

/// Text that was pasted, known as such because the terminal brackets it.
public struct Paste: Hashable, Sendable {
    /// As it was in the clipboard: control characters stay what they are, line ends are "\n", and bytes that are not
    /// UTF-8 are U+FFFD.
    public var text: String
    /// It was longer than ``KeyDecoder/longestPaste``, and this is its beginning.
    public var isTruncated: Bool

    public init(_ text: String, isTruncated: Bool = false) {
        self.text = text
        self.isTruncated = isTruncated
    }
}

/// A mouse button, or the wheel.
public struct Mouse: Hashable, Sendable {
    public enum Button: Hashable, Sendable {
        case left
        case middle
        case right
        /// A fourth, fifth … button.
        case other
    }

    public enum Kind: Hashable, Sendable {
        case press(Button)
        /// Some terminals do not say which button; then it is ``Button/other``.
        case release(Button)
        case drag(Button)
        /// The pointer moved with no button down.
        case move
        case scrollUp
        case scrollDown
        case scrollLeft
        case scrollRight
    }

    public var kind: Kind
    /// The cell under the pointer. It may be outside the screen while one is resized.
    public var position: Position
    public var modifiers: Key.Modifiers

    public init(_ kind: Kind, at position: Position, _ modifiers: Key.Modifiers = []) {
        self.kind = kind
        self.position = position
        self.modifiers = modifiers
    }
}
