/// How the program ends, as the shell sees it.
enum ExitCode: Int32, Sendable, Hashable, CaseIterable {
    case done = 0
    /// A refusal that no other code names, or a fault of the program itself.
    case failed = 1
    /// The command line is wrong, or asks for what is not safe.
    case usage = 2
    case cannotConnect = 3
    /// The login failed, or the token has expired or was revoked.
    case loginFailed = 4
    case timedOut = 5
    case connectionLost = 6
    /// The user's role does not allow it.
    case denied = 7
    case hungUp = 129
    case interrupted = 130
    case quit = 131
    case terminated = 143
}
