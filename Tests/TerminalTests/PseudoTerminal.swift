import CTerminalGuard
import Foundation
import Glibc
import TestSupport

/// The probe on a pseudo-terminal whose every byte is seen.
///
/// It is the leader of its own session, as under a terminal emulator: closing the terminal hangs it up, and there is no
/// shell that could continue it.
final class PseudoTerminal {
    enum Failure: Error {
        case cannotOpen(Int32)
    }

    /// Everything the probe wrote.
    private(set) var output: [UInt8] = []
    let process: pid_t
    /// The line discipline's settings before the probe was started.
    let originalModes: [UInt32]
    private var controller: Int32
    /// Keeps the terminal alive, so that its modes can be read after the probe's end.
    private let terminal: Int32
    private var status: Int32?

    init(
        columns: UInt16 = 80, rows: UInt16 = 24, input: String? = nil, ignoringHangUp: Bool = false,
        _ changes: [String: String] = [:]
    ) throws {
        // What posix_openpt and its kin do, which the Glibc module does not show; as little these two requests of
        // Linux: TIOCSPTLCK takes the lock off, TIOCGPTN tells the number.
        let (unlock, tellNumber) = (UInt(0x4004_5431), UInt(0x8004_5430))
        controller = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var locked: Int32 = 0
        var number: UInt32 = 0
        guard controller >= 0, ioctl(controller, unlock, &locked) == 0,
            ioctl(controller, tellNumber, &number) == 0
        else { throw Failure.cannotOpen(errno) }
        let path = "/dev/pts/\(number)"
        terminal = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else { throw Failure.cannotOpen(errno) }
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(controller, UInt(TIOCSWINSZ), &size)
        originalModes = Self.modes(of: terminal)

        let words = ignoringHangUp ? ["/bin/sh", "-c", "trap '' HUP; exec \"$0\"", Probe.path] : [Probe.path]
        process = try spawn(
            words, environment: Probe.environment.merging(changes) { $1 },
            descriptors: [.file(input ?? path, flags: O_RDWR), .file(path, flags: O_RDWR), .copy(of: 1)],
            newSession: true)
        _ = fcntl(controller, F_SETFL, O_NONBLOCK)
    }

    deinit {
        if status == nil {
            kill(process, SIGKILL)
            _ = waitpid(process, nil, 0)
        }
        hangUp()
        close(terminal)
    }

    /// The terminal is gone.
    func hangUp() {
        guard controller >= 0 else { return }
        close(controller)
        controller = -1
    }

    var text: String { String(decoding: output, as: UTF8.self) }

    /// The line discipline's settings now.
    var modes: [UInt32] { Self.modes(of: terminal) }

    private static func modes(of terminal: Int32) -> [UInt32] {
        var modes = termios()
        tcgetattr(terminal, &modes)
        let characters = withUnsafeBytes(of: modes.c_cc) { $0.map(UInt32.init) }
        return [modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag] + characters
    }

    func type(_ text: String) { type(Array(text.utf8)) }

    func type(_ bytes: [UInt8]) {
        _ = bytes.withUnsafeBytes { write(controller, $0.baseAddress, $0.count) }
    }

    func resize(columns: UInt16, rows: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(controller, UInt(TIOCSWINSZ), &size)
    }

    func signal(_ number: Int32) { kill(process, number) }

    /// Takes what has been written so far.
    @discardableResult
    func drain() -> Int {
        let before = output.count
        var buffer = [UInt8](repeating: 0, count: 65536)
        while controller >= 0 {
            let count = read(controller, &buffer, buffer.count)
            guard count > 0 else { break }
            output += buffer[..<count]
        }
        return output.count - before
    }

    /// Whether all of these came, after the first `start` bytes.
    func shows(_ expected: String..., after start: Int = 0) -> Bool {
        holds {
            drain()
            let seen = String(decoding: output[min(start, output.count)...], as: UTF8.self)
            return expected.allSatisfy { seen.contains($0) }
        }
    }

    /// The exit code, or the negative number of the signal that ended it; `nil` where it did not end.
    func end() -> Int32? {
        let ended = holds {
            drain()
            if status == nil {
                var raw: Int32 = 0
                if waitpid(process, &raw, WNOHANG) == process { status = raw }
            }
            return status != nil
        }
        drain()
        guard ended, let status else { return nil }
        return status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
    }

    /// Clock ticks of CPU used so far, user and system, in all threads.
    var cpuTicks: Int? {
        guard let line = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return nil }
        let fields = line.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 13, let user = Int(fields[11]), let system = Int(fields[12]) else { return nil }
        return user + system
    }
}
