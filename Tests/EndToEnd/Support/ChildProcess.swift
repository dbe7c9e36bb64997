import Foundation
import Synchronization
import TestSupport

/// `F_SETPIPE_SZ` (fcntl(2)), which the C library shows only on demand.
private let setPipeSize: CInt = 1031

/// How a process ended.
enum Exit: Sendable, Equatable, CustomStringConvertible {
    case status(Int32)
    case signal(Int32)

    var description: String {
        switch self {
        case .status(let status): "exit status \(status)"
        case .signal(let signal): "signal \(signal)"
        }
    }
}

/// A process of the test's own, and every line that it writes.
///
/// Whoever starts one ends it with ``end(_:within:)``; what a crash or an interrupt of the tests leaves behind is
/// killed by ``Reaper``.
final class ChildProcess: Sendable {
    let output = Transcript<String>()
    let errors = Transcript<String>()
    let processIdentifier: Int32
    /// How it ended, and when in monotonic seconds.
    private let exits = Transcript<(exit: Exit, at: Double)>()
    private let input: Mutex<FileHandle?>
    /// The end at which its standard error could be read, where nobody reads it.
    private let unread: Pipe?

    /// - Parameters:
    ///   - environment: added to this process's own, in which nothing of Rolecall's is left.
    ///   - readsErrors: whether what it writes to its standard error is read; if not, no more than 4096 bytes fit.
    init(
        _ program: URL, _ arguments: [String], environment: [String: String] = [:], readsErrors: Bool = true
    ) throws {
        let variables = ProcessInfo.processInfo.environment
            .filter { !$0.key.hasPrefix("ROLECALL_") && !$0.key.hasPrefix("XDG_") }
            .merging(environment) { _, new in new }
        let (inward, outward, wayward) = (Pipe(), Pipe(), Pipe())
        let processIdentifier = try spawn(
            [program.path] + arguments, environment: variables,
            descriptors: [
                .copy(of: inward.fileHandleForReading.fileDescriptor),
                .copy(of: outward.fileHandleForWriting.fileDescriptor),
                .copy(of: wayward.fileHandleForWriting.fileDescriptor),
            ])
        try inward.fileHandleForReading.close()
        try outward.fileHandleForWriting.close()
        try wayward.fileHandleForWriting.close()
        self.processIdentifier = processIdentifier
        Reaper.watch(processIdentifier)
        input = Mutex(inward.fileHandleForWriting)
        Self.read(outward, into: output)
        unread = readsErrors ? nil : wayward
        if readsErrors {
            Self.read(wayward, into: errors)
        } else {
            _ = fcntl(wayward.fileHandleForReading.fileDescriptor, setPipeSize, 4096)
            errors.finish()
        }
        Self.awaitEnd(of: processIdentifier, in: exits)
    }

    private static func awaitEnd(of process: pid_t, in exits: Transcript<(exit: Exit, at: Double)>) {
        Thread.detachNewThread {
            var word: Int32 = 0
            while waitpid(process, &word, 0) < 0, errno == EINTR {}
            Reaper.forget(process)
            exits.append((word & 0x7F == 0 ? .status(word >> 8 & 0xFF) : .signal(word & 0x7F), Shell.now))
        }
    }

    /// Whether it has ended.
    var exit: Exit? { exits.elements.first?.exit }

    /// When it ended, in monotonic seconds.
    var ended: Double? { exits.elements.first?.at }

    /// Waits until it has ended and all of its output is read.
    func waitForExit(within deadline: Duration = .seconds(40)) async throws -> Exit {
        let exit = try await exits.first(within: deadline, "the end of process \(processIdentifier)") { _ in true }
        _ = try? await output.first(within: .seconds(5), "the end of the output") { _ in false }
        _ = try? await errors.first(within: .seconds(5), "the end of the errors") { _ in false }
        return exit.element.exit
    }

    func send(signal: Int32) {
        if exit == nil { kill(processIdentifier, signal) }
    }

    /// Sends a signal and waits for the end; what does not heed it is killed and awaited.
    @discardableResult
    func end(_ signal: Int32 = SIGKILL, within deadline: Duration = .seconds(40)) async throws -> Exit {
        send(signal: signal)
        do {
            return try await waitForExit(within: deadline)
        } catch {
            send(signal: SIGKILL)
            _ = try await waitForExit()
            throw error
        }
    }

    /// Writes a line to its standard input. A reader that is gone is no failure here: its exit is what tells.
    func write(line: String) {
        input.withLock { handle in
            guard let handle else { return }
            Self.write(Array((line + "\n").utf8), to: handle.fileDescriptor)
        }
    }

    func closeInput() {
        input.withLock { handle in
            try? handle?.close()
            handle = nil
        }
    }

    /// Writes without the signal that a closed pipe would bring to the whole test process. The disposition stays as
    /// it is, because children inherit it.
    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var pipeSignal = sigset_t()
        var before = sigset_t()
        sigemptyset(&pipeSignal)
        sigaddset(&pipeSignal, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipeSignal, &before)
        defer {
            var none = timespec()
            while sigtimedwait(&pipeSignal, nil, &none) == SIGPIPE {}
            pthread_sigmask(SIG_SETMASK, &before, nil)
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 {
                if errno == EINTR { continue }
                return
            }
            rest = rest.dropFirst(written)
        }
    }

    /// Reads in a thread of its own, so that a silent process holds up nothing.
    private static func read(_ pipe: Pipe, into transcript: Transcript<String>) {
        Thread.detachNewThread {
            let handle = pipe.fileHandleForReading
            var line: [UInt8] = []
            while true {
                let data = handle.availableData
                if data.isEmpty { break }
                for byte in data {
                    if byte == UInt8(ascii: "\n") {
                        transcript.append(String(decoding: line, as: UTF8.self))
                        line = []
                    } else {
                        line.append(byte)
                    }
                }
            }
            if !line.isEmpty { transcript.append(String(decoding: line, as: UTF8.self)) }
            transcript.finish()
        }
    }
}

/// Kills what is left when the test process ends without having ended its children: a shell that hears of every
/// child on its standard input, and of the end by the end of it.
enum Reaper {
    private static let program = """
        trap '' HUP INT TERM
        while read -r op pid; do
            case $op in
            +) alive="$alive $pid" ;;
            -) rest=; for p in $alive; do [ "$p" = "$pid" ] || rest="$rest $p"; done; alive=$rest ;;
            esac
        done
        for p in $alive; do kill -9 "$p"; done
        """

    private static let input: FileHandle? = {
        let pipe = Pipe()
        let descriptors: [ChildDescriptor] = [
            .copy(of: pipe.fileHandleForReading.fileDescriptor), .nothing, .nothing,
        ]
        let reaper = try? spawn(["/bin/sh", "-c", program], environment: [:], descriptors: descriptors)
        guard reaper != nil else { return nil }
        try? pipe.fileHandleForReading.close()
        return pipe.fileHandleForWriting
    }()

    static func watch(_ process: Int32) { tell("+ \(process)\n") }
    static func forget(_ process: Int32) { tell("- \(process)\n") }

    private static func tell(_ line: String) { try? input?.write(contentsOf: Data(line.utf8)) }
}
