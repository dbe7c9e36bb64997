/// Why no screen can be opened here. Each says so in a sentence that a user can act on.
public enum ScreenError: Error, Hashable, Sendable {
    /// Standard input or output is a file or a pipe.
    case notATerminal(standardInput: Bool)
    /// `TERM` is `dumb`, empty or not set.
    case dumbTerminal
    /// Nothing on this machine describes a terminal of this name.
    case unknownTerminal(name: String)
    /// The terminal has no way to put the cursor somewhere.
    case cannotMoveCursor(name: String)
    /// This process has a screen open already.
    case alreadyOpen
    /// The system refused something; `number` is its errno.
    case system(operation: String, number: Int32)
}

extension ScreenError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notATerminal(standardInput: true): "standard input is not a terminal"
        case .notATerminal(standardInput: false): "standard output is not a terminal"
        case .dumbTerminal: "TERM names no terminal that can show a screen"
        case .unknownTerminal(let name):
            "the terminal type \"\(TextFitting.truncated(name, to: 40))\" is not known here; try TERM=xterm-256color"
        case .cannotMoveCursor(let name):
            "a terminal of type \"\(TextFitting.truncated(name, to: 40))\" cannot move its cursor"
        case .alreadyOpen: "a screen is open already"
        case .system(let operation, let number): "\(operation) failed (errno \(number))"
        }
    }
}
