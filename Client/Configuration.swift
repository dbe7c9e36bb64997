import Logging
import RolecallProtocol

/// All that one run of the program is told by its arguments and its environment.
struct Configuration: Sendable {
    var verb: Verb
    var server = ServerOrigin.default
    var profile = Profile.default
    /// Whether a password may travel in the clear.
    var isInsecure = false
    var logLevel = Logger.Level.warning
    /// A file of certificates in PEM form to trust in place of the system's.
    var certificateFile: String?
    /// The token of the environment, which wins over every saved one.
    var token: Token?
    /// Where tokens are saved; nil where the environment names no home.
    var tokenDirectory: String?
    /// What the user's configuration file says.
    var file = ConfigurationFile()
    /// The user's home directory; nil where the environment names none.
    var home: String?
}

/// What the program is to do.
enum Verb: Hashable, Sendable {
    /// The live screen; where there is no terminal for it, the live events as lines.
    case screen(ScreenRequest)
    case login(email: String, passwordFromInput: Bool)
    case logout
    case whoami
    case watch(WatchRequest)
    case expect(Query, timeout: Duration, after: Position?)
    /// - Parameter text: nil takes the text from standard input.
    case send(text: String?, room: String?)
    case create(model: String, [FieldAssignment])
    case update(model: String, key: String, [FieldAssignment])
    case remove(model: String, key: String)
    case list(model: String, limit: Int?, after: String?, [FieldAssignment])
    case get(model: String, key: String)
    case who
    /// - Parameter name: a socket's id, or a user's e-mail address for all sockets of that user.
    case kick(name: String, closes: Bool)
    /// - Parameter user: an `_id`, an e-mail address, or `guest`.
    /// Shows a recording, without any network.
    case replay(ReplayRequest)
    case explain(Position, user: String, format: Console.Format)
}

/// How the live screen is to be.
struct ScreenRequest: Hashable, Sendable {
    /// The most events that are kept; at least 1.
    var buffer = 10_000
}

/// What to watch for, and until when.
struct WatchRequest: Hashable, Sendable {
    var query = Query()
    var after: Position?
    /// How many events to show.
    var count: Int?
    /// Ends with the first event or identity that it holds for, shown or not.
    var until: Query?
    var timeout: Duration?
    var reconnects = true
    var format = Console.Format.json
    /// Whether commands come by standard input.
    var isControlled = false
}
