import Glibc
import TestSupport

/// A process of a test's own that talks in lines, and that ends at the latest when the tests do: it, or what it runs
/// under, heeds the end of its standard input.
final class Process {
    let identifier: pid_t
    private let input: Int32
    private let output: Int32
    private var received: [UInt8] = []
    private var status: Int32?

    /// - Parameter words: the program and its arguments.
    init(_ words: [String], environment: [String: String] = [:]) throws {
        // A socket and no pipe, because one can write to it without a signal where nobody reads any more.
        var inward: [Int32] = [0, 0]
        var outward: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &inward) == 0, pipe(&outward) == 0 else {
            throw WireFailure("no pipe: \(String(cString: strerror(errno)))")
        }
        var variables = environment
        // A crash is told by its signal; a backtrace of a debug build takes minutes.
        variables["SWIFT_BACKTRACE"] = "enable=no"
        variables["PATH"] = getenv("PATH").map { String(cString: $0) }
        input = inward[1]
        output = outward[0]
        defer {
            close(inward[0])
            close(outward[1])
        }
        // What else is open is closed in the child; see ``spawn(_:environment:descriptors:newSession:)``.
        identifier = try spawn(
            words, environment: variables, descriptors: [.copy(of: inward[0]), .copy(of: outward[1]), .copy(of: 2)])
    }

    deinit {
        kill()
        close(input)
        close(output)
    }

    /// Its exit status, or 128 and the number of the signal that ended it; nil while it runs.
    func exitStatus() -> Int32? {
        if status == nil {
            var word: Int32 = 0
            if waitpid(identifier, &word, WNOHANG) == identifier { status = Self.status(word) }
        }
        return status
    }

    func waitForExit(within time: Duration = Wire.patience) throws -> Int32 {
        let deadline = ContinuousClock.now + time
        while true {
            if let status = exitStatus() { return status }
            guard ContinuousClock.now < deadline else {
                throw WireFailure("process \(identifier) does not end within \(time)")
            }
            usleep(2_000)
        }
    }

    private static func status(_ word: Int32) -> Int32 {
        word & 0x7F == 0 ? word >> 8 & 0xFF : 128 + word & 0x7F
    }

    func signal(_ number: Int32) {
        if exitStatus() == nil { Glibc.kill(identifier, number) }
    }

    /// As a crash would.
    func kill() {
        guard exitStatus() == nil else { return }
        Glibc.kill(identifier, SIGKILL)
        var word: Int32 = 0
        waitpid(identifier, &word, 0)
        status = Self.status(word)
    }

    func write(line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = send(input, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// The next line that it writes.
    func line(within time: Duration = Wire.patience) throws -> String {
        let deadline = ContinuousClock.now + time
        while true {
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                defer { received.removeFirst(end + 1) }
                return String(decoding: received[..<end], as: UTF8.self)
            }
            var poll = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            let left = Int32(clamping: Int64(ContinuousClock.now.duration(to: deadline) / .milliseconds(1)))
            guard left > 0 else { throw WireFailure("process \(identifier) says nothing within \(time)", received) }
            guard Glibc.poll(&poll, 1, left) > 0 else { continue }
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            let count = read(output, &buffer, buffer.count)
            guard count > 0 else { throw WireFailure("process \(identifier) has ended", received) }
            received += buffer[..<count]
        }
    }
}
