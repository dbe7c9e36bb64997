import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the program is told besides its arguments.
struct Input: Sendable {
    /// Standard input.
    let descriptor: CInt
    /// The terminal that a password is asked on, whatever standard input is.
    let terminalPath: String
    /// Where reading waits; who made it ends it.
    let threads: NIOThreadPool

    /// Why an input can't be used; a whole sentence.
    struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        let description: String
    }

    func lines() -> LineReader {
        LineReader(descriptor: descriptor, threads: threads)
    }
}

/// Reads lines from a file descriptor that it does not own. For one caller at a time.
actor LineReader {
    /// The longest line, in bytes.
    static let longestLine = 1 << 20

    private let descriptor: CInt
    private let threads: NIOThreadPool
    private var bytes: [UInt8] = []
    /// How many of `bytes` are known to hold no line's end.
    private var searched = 0
    private var isAtEnd = false

    init(descriptor: CInt, threads: NIOThreadPool) {
        self.descriptor = descriptor
        self.threads = threads
    }

    /// The next line without its end (`\n` or `\r\n`); nil after the last. Bytes that are not UTF-8 become U+FFFD.
    ///
    /// - Throws: `CancellationError`, and ``Input/Failure`` for a line that is too long or an input that can't be read.
    func next() async throws -> String? {
        while true {
            if let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = bytes[..<end]
                let text = String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
                bytes.removeSubrange(...end)
                searched = 0
                return text
            }
            searched = bytes.count
            guard bytes.count <= Self.longestLine else {
                throw Input.Failure(description: "A line of the input is longer than 1 MiB.")
            }
            if isAtEnd {
                guard !bytes.isEmpty else { return nil }
                bytes.append(UInt8(ascii: "\n"))
                continue
            }
            try await readMore()
        }
    }

    /// Everything up to the end of the input.
    func rest() async throws -> String {
        while !isAtEnd {
            guard bytes.count <= Self.longestLine else {
                throw Input.Failure(description: "The input is longer than 1 MiB.")
            }
            try await readMore()
        }
        defer { bytes = [] }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func readMore() async throws {
        let descriptor = descriptor
        let isCancelled = AtomicFlag()
        let chunk = try await withTaskCancellationHandler {
            try await threads.run { try readChunk(from: descriptor, isCancelled: isCancelled) }
        } onCancel: {
            isCancelled.raise()
        }
        if chunk.isEmpty { isAtEnd = true }
        bytes.append(contentsOf: chunk)
    }
}

/// Blocks until there is something to read; empty at the end.
func readChunk(from descriptor: CInt, isCancelled: AtomicFlag) throws -> [UInt8] {
    while !isCancelled.isRaised {
        var entry = pollfd(fd: descriptor, events: CShort(POLLIN), revents: 0)
        let ready = poll(&entry, 1, 100)
        if ready == 0 || ready < 0 && errno == EINTR { continue }
        var chunk = [UInt8](repeating: 0, count: 16_384)
        let count = read(descriptor, &chunk, chunk.count)
        if count >= 0 {
            chunk.removeSubrange(count...)
            return chunk
        }
        guard errno == EINTR || errno == EAGAIN else {
            throw Input.Failure(description: "The input can't be read: \(String(cString: strerror(errno))).")
        }
    }
    throw CancellationError()
}
