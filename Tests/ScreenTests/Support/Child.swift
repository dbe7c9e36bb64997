import Foundation
import TestSupport

/// A process of the test's own, with files for its input and output.
///
/// What it starts in its turn may go on, as the server of `tmux` does, and is not waited for.
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
        identifier = try spawn(
            [program] + arguments, environment: cleanEnvironment.merging(environment) { _, new in new },
            descriptors: [.file(input, flags: O_RDONLY), .newFile(output), .copy(of: 1)])
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
