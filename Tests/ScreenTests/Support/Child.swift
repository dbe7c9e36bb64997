import Foundation

/// A process of the test's own, with files for its input and output.
///
/// It inherits nothing else. What it starts in its turn may go on, as the server of `tmux` does, and is not waited
/// for; Foundation's `Process` would.
final class Child {
    let identifier: pid_t
    private var ended: Int32?

    /// - Parameters:
    ///   - environment: added to ``cleanEnvironment``.
    ///   - output: takes both outputs; made anew.
    init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], from input: String = "/dev/null",
        to output: String
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Other tests of this process wait for the ends of their pipes and sockets, which must not live on here. Closing
        // what is not open is no fault.
        for descriptor in 3..<Int32(1024) { posix_spawn_file_actions_addclose(&actions, descriptor) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The threads that tests run on may have every signal blocked, and a child would inherit that.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let variables = cleanEnvironment.merging(environment) { _, new in new }.map { "\($0.key)=\($0.value)" }
        var words: [UnsafeMutablePointer<CChar>?] = (["env", program] + arguments).map { strdup($0) } + [nil]
        var values: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        defer { for text in words + values { free(text) } }
        var identifier = pid_t()
        let fault = posix_spawn(&identifier, "/usr/bin/env", &actions, &attributes, &words, &values)
        guard fault == 0 else { throw Missing("\(program) can't be started: \(String(cString: strerror(fault))).") }
        self.identifier = identifier
    }

    deinit { kill() }

    /// The exit status, or 128 and the number of the signal that ended it; nil while it runs.
    func status() -> Int32? {
        if let ended { return ended }
        var word: Int32 = 0
        guard waitpid(identifier, &word, WNOHANG) == identifier else { return nil }
        ended = word & 0x7F == 0 ? word >> 8 & 0xFF : 128 + word & 0x7F
        return ended
    }

    /// As a crash would.
    func kill() {
        guard status() == nil else { return }
        _ = Foundation.kill(identifier, SIGKILL)
        var word: Int32 = 0
        waitpid(identifier, &word, 0)
        ended = 128 + SIGKILL
    }
}
