import RolecallProtocol
import Terminal

/// What happens to the screen: everything that can change its state.
enum Action: Sendable {
    case key(Key)
    case paste(Paste)
    case mouse(Mouse)
    case resize(Size)
    /// What the connection tells.
    case notice(Notice)
    /// How an effect ended.
    case outcome(Outcome)
    /// A moment that was asked for by ``ScreenState/nextTick`` has come.
    case tick
    /// The program is asked to end.
    case end(ExitCode)
}

/// How an effect ended.
enum Outcome: Hashable, Sendable {
    /// A round trip to the server and back.
    case latency(Duration)
    /// - Parameter reason: a whole sentence.
    case notSent(text: String, reason: String)
    /// The socket belongs to the user.
    /// - Parameter remark: what went wrong beside it, a whole sentence.
    case loggedIn(ServerOrigin, remark: String?)
    case loginFailed(LoginForm.Field?, reason: String)
    case loggedOut
    /// - Parameter remark: what went wrong beside it, a whole sentence.
    case signedOut(remark: String?)
    /// - Parameter command: what was not done.
    case failed(command: String, reason: String)
}

/// What the reducer wants done by whoever drives it.
enum Effect: Hashable, Sendable {
    case send(String)
    case logIn(LoginRequest)
    /// Leaves this socket to nobody; the saved token stays.
    case logOut
    /// Ends the session, and forgets the token.
    case signOut
    case whoami
    case reconnect
    case measureLatency
    case repaint
    case suspend
    case bell
    case quit(ExitCode)
}

/// When something happens.
struct Moment: Hashable, Sendable {
    /// Since the screen was opened, by a clock that never jumps.
    var uptime: Duration
    /// By the clock on the wall.
    var wall: Timestamp
}
