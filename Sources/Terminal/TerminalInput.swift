import CTerminalGuard
import Dispatch
import Glibc

/// Hears from standard input and from the system, on the main queue. Costs nothing while nothing happens.
@MainActor
final class TerminalInput {
    /// Something came, in order.
    enum Occurrence {
        case events([TerminalEvent])
        case signal(CInt)
    }

    private let handler: (Occurrence) -> Void
    private var decoder: KeyDecoder
    private var input: (any DispatchSourceRead)?
    private var signals: (any DispatchSourceRead)?
    private var isInputPaused = false
    private let signalPipe: (read: CInt, write: CInt)
    /// Counts what was read, so that a time-out knows whether it is still wanted.
    private var generation = 0
    private var buffer = [UInt8](repeating: 0, count: 64 * 1024)

    /// Takes the signals at once, so that curses leaves them alone; reads nothing before ``start()``.
    ///
    /// - Throws: ``ScreenError/system(operation:number:)``.
    init(decoder: KeyDecoder, handler: @escaping (Occurrence) -> Void) throws(ScreenError) {
        self.decoder = decoder
        self.handler = handler
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .system(operation: "pipe", number: errno) }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        signalPipe = (ends[0], ends[1])
        terminal_guard_watch(signalPipe.write)
    }

    func start() {
        input = source(STDIN_FILENO) { $0.readInput() }
        signals = source(signalPipe.read) { $0.readSignals() }
    }

    /// Somebody else reads the terminal for a while.
    func pause() {
        guard let input, !isInputPaused else { return }
        isInputPaused = true
        input.suspend()
    }

    func unpause() {
        guard let input, isInputPaused else { return }
        isInputPaused = false
        input.resume()
    }

    /// For good. The signals have been given back before.
    func stop() {
        stopInput()
        let (read, write) = signalPipe
        if let signals {
            // The descriptors may go only when nothing polls them any more.
            signals.setCancelHandler { _ = (close(read), close(write)) }
            signals.cancel()
        } else {
            _ = (close(read), close(write))
        }
        signals = nil
    }

    private func stopInput() {
        // A suspended source must not be released.
        unpause()
        input?.cancel()
        input = nil
    }

    private func source(
        _ descriptor: CInt, _ body: @escaping @MainActor (TerminalInput) -> Void
    ) -> any DispatchSourceRead {
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .main)
        source.setEventHandler { [weak self] in
            MainActor.assumeIsolated {
                if let self { body(self) }
            }
        }
        source.activate()
        return source
    }

    private func readInput() {
        guard input != nil, !isInputPaused else { return }
        // One read for each wake-up: the descriptor stays blocking, since standard output may share its description.
        let count = buffer.withUnsafeMutableBytes { read(STDIN_FILENO, $0.baseAddress, $0.count) }
        if count > 0 {
            generation += 1
            let events = decoder.receive(buffer[..<count])
            awaitRest()
            deliver(events)
        } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
            // The end would be read again and again.
            stopInput()
            terminal_guard_input_ended()
            deliver(decoder.timedOut() + [.endOfInput])
        }
    }

    private func awaitRest() {
        guard let patience = decoder.patience else { return }
        let expected = generation
        let (seconds, attoseconds) = patience.components
        let deadline =
            DispatchTime.now() + .nanoseconds(Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000))
        DispatchQueue.main.asyncAfter(deadline: deadline) { [weak self] in
            MainActor.assumeIsolated {
                guard let self, self.generation == expected, self.input != nil else { return }
                self.deliver(self.decoder.timedOut())
            }
        }
    }

    private func deliver(_ events: [TerminalEvent]) {
        if !events.isEmpty { handler(.events(events)) }
    }

    private func readSignals() {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = bytes.withUnsafeMutableBytes { read(signalPipe.read, $0.baseAddress, $0.count) }
        guard count > 0 else { return }
        var seen: Set<UInt8> = []
        for byte in bytes[..<count] where seen.insert(byte).inserted {
            terminal_guard_acknowledge(CInt(byte))
            handler(.signal(CInt(byte)))
        }
    }
}
