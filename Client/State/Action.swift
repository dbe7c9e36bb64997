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
    /// What a recording tells.
    case replay(ReplayItem)
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
    case loggedIn(ServerOrigin, staysSignedIn: Bool, remark: String?)
    case loginFailed(LoginForm.Field?, reason: String)
    /// The screen is another server's from now on.
    /// - Parameters:
    ///   - email: whose login is saved there; nil where none is.
    ///   - remark: what went wrong beside it, a whole sentence.
    case connected(ServerOrigin, isSaved: Bool, email: String?, remark: String?)
    case loggedOut
    /// - Parameters:
    ///   - sessions: how many sessions ended, where all were to; nil where only this one was.
    ///   - remark: what went wrong beside it, a whole sentence.
    case signedOut(sessions: Int?, remark: String?)
    case notSignedOut(reason: String)
    case renewal(Renewal)
    /// - Parameter generation: that of the request.
    case sessions([UserSession], generation: Int)
    case sockets([SocketRecord], generation: Int)
    /// - Parameters:
    ///   - reason: a whole sentence.
    ///   - isDenied: the server does not tell this user.
    case notListed(ListedThing, reason: String, isDenied: Bool, generation: Int)
    case explained(ExplanationRequest, EventExplanation)
    /// - Parameter reason: a whole sentence.
    case notExplained(ExplanationRequest, reason: String)
    case exported(path: String, count: Int)
    case recording(path: String)
    /// - Parameter reason: nil where it was asked for; a whole sentence.
    case recordingEnded(reason: String?)
    case sessionEnded
    /// - Parameters:
    ///   - count: how many sockets.
    ///   - name: whose, or which.
    case kicked(count: Int, name: String)
    /// - Parameter command: what was not done.
    case failed(command: String, reason: String)
}

/// What the reducer wants done by whoever drives it.
enum Effect: Hashable, Sendable {
    /// - Parameter room: nil for the lobby.
    case send(String, room: String? = nil)
    /// Opens a room: tells its messages from now on, and the last ones.
    case join(String)
    /// Ends a room's messages on this socket.
    case leave(String)
    case logIn(LoginRequest)
    /// Leaves this socket to nobody; the saved token stays.
    case logOut
    /// Ends the session, and forgets the token.
    case signOut
    /// Ends all sessions of the user, and forgets the token.
    case signOutEverywhere
    /// Gets a token that lasts longer.
    case renew
    /// Ends another session of the user.
    case endSession(String)
    /// Asks for what a page shows.
    /// - Parameter generation: comes back with the answer.
    case list(ListedThing, generation: Int)
    case explain(ExplanationRequest)
    case kick(KickTarget, closes: Bool)
    case whoami
    case reconnect
    /// Leaves this server for another one.
    case connect(ServerOrigin)
    case measureLatency
    case repaint
    case suspend
    case bell
    /// Shows a notification on the desktop, where the terminal can.
    case notify(title: String, body: String)
    /// Puts text into the user's clipboard.
    case copy(String)
    /// Writes events to a file.
    case export(String, [ModelEvent], replacing: Bool)
    /// Writes to a file what comes from now on.
    /// - Parameter opening: what stands before it: where things are now.
    case record(String, opening: [OutputLine], replacing: Bool)
    case stopRecording
    case quit(ExitCode)
}

/// What pages ask the server for.
enum ListedThing: Hashable, Sendable {
    /// The user's own.
    case sessions
    case sockets
}

/// Whom to kick.
enum KickTarget: Hashable, Sendable {
    /// - Parameter name: what they have in common, for people.
    case sockets([String], name: String)
    /// A socket's id, or the e-mail address of a user.
    case named(String)
}

/// When something happens.
struct Moment: Hashable, Sendable {
    /// Since the screen was opened, by a clock that never jumps.
    var uptime: Duration
    /// By the clock on the wall.
    var wall: Timestamp
}
