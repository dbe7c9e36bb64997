import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What stands for "no key" among a terminal's control characters (POSIX: `_POSIX_VDISABLE`).
#if canImport(Darwin)
    private let disabledCharacter: UInt8 = 0xFF
#else
    private let disabledCharacter: UInt8 = 0
#endif

/// Asks for a password on a terminal that shows nothing of it.
enum PasswordPrompt {
    /// Reads one line from the terminal with its echo off. The terminal is as it was when this returns, whatever
    /// happened; a signal that cancels the task counts as any other end.
    ///
    /// - Throws: ``Input/Failure`` where there is no terminal or it ended; `CancellationError`.
    static func ask(_ question: String, on input: Input) async throws -> String {
        let isCancelled = AtomicFlag()
        return try await withTaskCancellationHandler {
            try await input.threads.run {
                try ask(question, terminalPath: input.terminalPath, isCancelled: isCancelled)
            }
        } onCancel: {
            isCancelled.raise()
        }
    }

    private static func ask(_ question: String, terminalPath: String, isCancelled: AtomicFlag) throws -> String {
        let terminal = open(terminalPath, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else {
            throw Input.Failure(description: "There is no terminal to ask for the password; use --password-stdin.")
        }
        defer { close(terminal) }
        var saved = termios()
        guard tcgetattr(terminal, &saved) == 0 else {
            throw Input.Failure(description: "The terminal can't hide the password; use --password-stdin.")
        }
        var hidden = saved
        hidden.c_lflag &= ~tcflag_t(ECHO)
        hidden.c_lflag |= tcflag_t(ICANON | ISIG)
        // A suspended program would leave the shell without an echo.
        withUnsafeMutableBytes(of: &hidden.c_cc) { characters in
            characters[Int(VSUSP)] = disabledCharacter
        }
        guard tcsetattr(terminal, TCSAFLUSH, &hidden) == 0 else {
            throw Input.Failure(description: "The terminal can't hide the password; use --password-stdin.")
        }
        defer {
            tcsetattr(terminal, TCSAFLUSH, &saved)
            _ = write(terminal, "\n", 1)
        }
        _ = write(terminal, question, question.utf8.count)
        var line: [UInt8] = []
        while !line.contains(UInt8(ascii: "\n")) {
            let chunk = try readChunk(from: terminal, isCancelled: isCancelled)
            guard !chunk.isEmpty, line.count < 4096 else {
                throw Input.Failure(description: "No password was given.")
            }
            line += chunk
        }
        return String(decoding: line.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
