/// A line of standard input that `watch --control` obeys.
enum ControlCommand: Hashable, Sendable {
    /// - Parameter profile: whose saved token is sent; nil is that of the connection.
    case login(Profile?)
    case logout
    case whoami
    case send(String)
    case disconnect
    case quit

    /// The command's name, as its acknowledgement bears it.
    var name: String {
        switch self {
        case .login: "login"
        case .logout: "logout"
        case .whoami: "whoami"
        case .send: "send"
        case .disconnect: "disconnect"
        case .quit: "quit"
        }
    }

    static let names = ["login", "logout", "whoami", "send", "disconnect", "quit"]

    /// Why a line is no command; a whole sentence.
    struct Malformed: Error, Hashable, Sendable, CustomStringConvertible {
        let code: String
        let description: String
    }

    /// Reads a line; nil for an empty one.
    init?(parsing line: String) throws(Malformed) {
        guard line.contains(where: { !$0.isWhitespace }) else { return nil }
        guard line.hasPrefix("/") else {
            self = .send(line)
            return
        }
        guard !line.hasPrefix("//") else {
            self = .send(String(line.dropFirst()))
            return
        }
        let word = line.dropFirst().prefix { !$0.isWhitespace }
        let argument = line[word.endIndex...].trimmingSpaces()
        switch word {
        case "login":
            guard argument.isEmpty || Profile(argument) != nil else {
                throw Malformed(code: "invalid_command", description: "'\(argument)' is no profile's name.")
            }
            self = .login(Profile(argument))
        case "send":
            guard !argument.isEmpty else {
                throw Malformed(code: "invalid_command", description: "/send takes a text: /send TEXT.")
            }
            self = .send(argument)
        case "logout", "whoami", "disconnect", "quit":
            guard argument.isEmpty else {
                throw Malformed(code: "invalid_command", description: "/\(word) takes nothing after it.")
            }
            switch word {
            case "logout": self = .logout
            case "whoami": self = .whoami
            case "disconnect": self = .disconnect
            default: self = .quit
            }
        default:
            let guess = nearest(to: String(word), among: Self.names).map { " Did you mean /\($0)?" } ?? ""
            throw Malformed(
                code: "unknown_command",
                description: "There is no command /\(word).\(guess) A text that begins with a slash is sent with two.")
        }
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> String {
        let front = drop(while: \.isWhitespace)
        guard let last = front.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(front[...last])
    }
}
