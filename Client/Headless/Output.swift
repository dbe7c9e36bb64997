import NIOPosix
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where the program's two kinds of text go.
struct Output: Sendable {
    /// The answer: lines for another program, or for a reader.
    let lines: any LineSink
    /// What went wrong, one sentence a line.
    let messages: any LineSink
}

/// Takes whole lines in the order in which they are given.
protocol LineSink: Sendable {
    /// Writes a text and the end of its line; returns when the system has taken both.
    ///
    /// A cancelled task's lines are written as far as the reader takes them at once.
    ///
    /// - Throws: ``ReaderGone`` when nobody reads any more; ``OutputFailure``; `CancellationError` when the task was
    ///   cancelled while the reader took nothing.
    func write(line: [UInt8]) async throws

    /// Whether it is known that nobody reads any more.
    var isReaderGone: Bool { get }
}

/// The reading end of the output was closed.
struct ReaderGone: Error {}

/// The output can't be written for another reason, a full disk say; what the system said.
struct OutputFailure: Error, Hashable, Sendable, CustomStringConvertible {
    let description: String
}

/// Writes lines to a file descriptor that it does not own, on a thread of its own: a reader that takes nothing holds
/// up that thread and nothing else.
///
/// SIGPIPE must be ignored by the process.
final class DescriptorSink: LineSink {
    private let descriptor: CInt
    private let thread: NIOThreadPool

    /// - Parameter thread: a pool of one thread, which keeps lines whole and in order; who made it ends it.
    init(descriptor: CInt, thread: NIOThreadPool) {
        self.descriptor = descriptor
        self.thread = thread
    }

    func write(line: [UInt8]) async throws {
        let isCancelled = AtomicFlag()
        let descriptor = descriptor
        try await withTaskCancellationHandler {
            try await thread.run {
                try writeWhole(line + [UInt8(ascii: "\n")], to: descriptor, isCancelled: isCancelled)
            }
        } onCancel: {
            isCancelled.raise()
        }
    }

    var isReaderGone: Bool {
        var entry = pollfd(fd: descriptor, events: 0, revents: 0)
        return poll(&entry, 1, 0) > 0 && entry.revents & CShort(POLLERR | POLLNVAL) != 0
    }
}

extension NIOThreadPool {
    /// Runs blocking work on one of the pool's threads, a cancelled task's too: its last line should still be written.
    ///
    /// - Throws: what `body` throws; `CancellationError` when the pool was shut down.
    func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            submit { state in
                guard case .active = state else { return continuation.resume(throwing: CancellationError()) }
                continuation.resume(with: Swift.Result(catching: body))
            }
        }
    }
}

/// Set once, read from another thread.
final class AtomicFlag: Sendable {
    private let value = Atomic(false)

    var isRaised: Bool { value.load(ordering: .acquiring) }

    func raise() { value.store(true, ordering: .releasing) }
}

/// Blocks until all bytes are written.
///
/// The descriptor may be shared with other processes, so it is not made non-blocking. Instead no more is written at
/// once than a pipe that reports room will take, and cancellation is looked at in between.
private func writeWhole(_ bytes: [UInt8], to descriptor: CInt, isCancelled: AtomicFlag) throws {
    try bytes.withUnsafeBytes { bytes in
        var rest = bytes[...]
        while !rest.isEmpty {
            let mayWait = !isCancelled.isRaised
            var entry = pollfd(fd: descriptor, events: CShort(POLLOUT), revents: 0)
            let ready = poll(&entry, 1, mayWait ? 100 : 0)
            if ready == 0 || ready < 0 && errno == EINTR {
                if mayWait { continue }
                throw CancellationError()
            }
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(Int(PIPE_BUF)))
            let count = write(descriptor, piece.baseAddress, piece.count)
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else {
                switch errno {
                case EINTR, EAGAIN: continue
                case EPIPE, ECONNRESET, EIO, EBADF: throw ReaderGone()
                default: throw OutputFailure(description: String(cString: strerror(errno)))
                }
            }
        }
    }
}
