import Dispatch
import Foundation
import Glibc
import Synchronization

/// Writes lines of the log to a descriptor, on a thread of its own and in the order in which they were given.
///
/// The thread that gives a line never waits for the descriptor, whatever stands at its other end: a pipe that is full, a
/// terminal that is stopped, a disk that is slow. What waits is bounded in bytes; a line that does not fit is dropped and
/// counted, and so is one that the descriptor refuses. The next line that fits stands behind one that says how many were
/// dropped. Lines that wait together are written together.
final class LineWriter: Sendable {
    /// The process's standard error. What was given to it is written before the process ends by `exit`, or by the end of
    /// its main function, which wait no longer than a second for that; before `_exit` the caller flushes it.
    static let standardError: LineWriter = {
        atexit { LineWriter.standardError.flush(within: LineWriter.longestFlush) }
        return LineWriter(descriptor: STDERR_FILENO)
    }()

    /// How long the end of the process waits for a reader that takes nothing.
    static let longestFlush = Duration.seconds(1)

    /// Lines that wait, or are being written.
    private struct Chunk {
        var bytes: [UInt8] = []
        /// Those among the lines that stand for dropped ones: where each ends, and for how many.
        var notices: [(end: Int, count: Int)] = []

        /// The end of the whole lines to write at once from `start` on, which is not the chunk's end.
        func endOfPiece(from start: Int) -> Int {
            guard bytes.count - start > LineWriter.pieceSize else { return bytes.count }
            let limit = start + LineWriter.pieceSize
            if let last = bytes[start..<limit].lastIndex(of: UInt8(ascii: "\n")) { return last + 1 }
            return bytes[limit...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.count
        }

        /// How many lines are lost where nothing from `offset` on is written.
        func lines(from offset: Int) -> Int {
            let said = notices.filter { $0.end > offset }
            return bytes[offset...].count { $0 == UInt8(ascii: "\n") } - said.count + said.reduce(0) { $0 + $1.count }
        }
    }

    /// How much is written at once, so that what is written makes room before all of a chunk is; a longer line is
    /// written at once all the same.
    private static let pieceSize = 1 << 16

    private struct State {
        var waiting = Chunk()
        /// Bytes that were taken so far.
        var given = 0
        /// Bytes of those that are written or lost.
        var settled = 0
        /// Lines that no line has told of yet.
        var dropped = 0
        /// Of the line that came last.
        var format = LineLogHandler.Format.text
        var hasThread = false
        /// Whether the thread waits for ``LineWriter/wake``.
        var isAsleep = false
        var flushes: [(target: Int, reached: DispatchSemaphore)] = []

        /// Takes a line, and before it the one that tells of dropped ones, where there is room for all of that.
        mutating func take(_ line: [UInt8], limit: Int) -> Bool {
            // First without the line that tells of dropped ones, which is not made where there is no room anyway.
            guard given - settled + line.count <= limit else { return false }
            let notice = dropped > 0 ? LineLogHandler.droppedLine(dropped, format) : []
            guard given - settled + notice.count + line.count <= limit else { return false }
            waiting.bytes += notice
            if !notice.isEmpty { waiting.notices.append((end: waiting.bytes.count, count: dropped)) }
            dropped = 0
            waiting.bytes += line
            given += notice.count + line.count
            return true
        }
    }

    private let descriptor: CInt
    private let limit: Int
    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - descriptor: stays open as long as the process runs, or until nothing is written to it any more.
    ///   - limit: the most bytes that wait.
    init(descriptor: CInt, limit: Int = 1 << 20) {
        self.descriptor = descriptor
        self.limit = limit
    }

    /// Takes a line, with the line feed that ends it, or drops it where too much waits already.
    ///
    /// - Parameter format: that of a line which tells of dropped ones.
    func append(_ line: [UInt8], format: LineLogHandler.Format = .text) {
        let (startsThread, wakes) = state.withLock { state in
            state.format = format
            guard state.take(line, limit: limit) else {
                state.dropped += 1
                return (false, false)
            }
            return Self.hand(over: &state)
        }
        rouse(startsThread, wakes)
    }

    /// Waits until all that was given before is written or refused, and until the number of dropped lines is told.
    ///
    /// - Parameter limit: how long it waits at most.
    /// - Returns: whether that was so in time.
    @discardableResult
    func flush(within limit: Duration) -> Bool {
        let reached = DispatchSemaphore(value: 0)
        let (startsThread, wakes, isDone) = state.withLock { state in
            // The line that tells of dropped ones may be one too many: there is no later one that could tell.
            if state.dropped > 0 { _ = state.take([], limit: .max) }
            guard state.settled < state.given else { return (false, false, true) }
            state.flushes.append((target: state.given, reached: reached))
            let (startsThread, wakes) = Self.hand(over: &state)
            return (startsThread, wakes, false)
        }
        rouse(startsThread, wakes)
        return isDone || reached.wait(timeout: .now() + .nanoseconds(Int(limit / .nanoseconds(1)))) == .success
    }

    private static func hand(over state: inout State) -> (startsThread: Bool, wakes: Bool) {
        let result = (startsThread: !state.hasThread, wakes: state.isAsleep)
        state.hasThread = true
        state.isAsleep = false
        return result
    }

    private func rouse(_ startsThread: Bool, _ wakes: Bool) {
        if wakes { wake.signal() }
        guard startsThread else { return }
        let thread = Thread { self.run() }
        thread.name = "log"
        thread.start()
    }

    // MARK: The thread

    private func run() {
        // A reader that is gone is an error of `write`, and ends nothing.
        var pipeSignal = sigset_t()
        sigemptyset(&pipeSignal)
        sigaddset(&pipeSignal, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipeSignal, nil)
        var isTorn = false
        while true {
            let chunk = state.withLock { state -> Chunk? in
                guard !state.waiting.bytes.isEmpty else {
                    state.isAsleep = true
                    return nil
                }
                defer { state.waiting = Chunk() }
                return state.waiting
            }
            guard let chunk else {
                wake.wait()
                continue
            }
            // A line of which a part was refused is ended before the next begins.
            if isTorn, write([UInt8(ascii: "\n")]) == 1 { isTorn = false }
            var start = 0
            while start < chunk.bytes.count {
                let end = isTorn ? start : chunk.endOfPiece(from: start)
                let written = write(chunk.bytes[start..<end])
                guard start + written == end, end > start else {
                    isTorn = isTorn || written > 0 && chunk.bytes[start + written - 1] != UInt8(ascii: "\n")
                    settle(chunk.bytes.count - start, dropped: chunk.lines(from: start + written))
                    break
                }
                settle(written, dropped: 0)
                start = end
            }
        }
    }

    private func settle(_ count: Int, dropped: Int) {
        state.withLock { state in
            state.settled += count
            state.dropped += dropped
            let settled = state.settled
            for flush in state.flushes where flush.target <= settled { flush.reached.signal() }
            state.flushes.removeAll { $0.target <= settled }
        }
    }

    /// - Returns: how many bytes the descriptor took before it refused the rest.
    private func write(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBytes { buffer in
            var count = 0
            while count < buffer.count {
                let written = Glibc.write(descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count)
                if written >= 0 {
                    count += written
                } else if errno == EAGAIN {
                    // Another process that shares the descriptor has made it one that does not block.
                    var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&wanted, 1, -1)
                } else if errno != EINTR {
                    break
                }
            }
            return count
        }
    }
}
