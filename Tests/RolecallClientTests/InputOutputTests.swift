import CTerminalGuard
import NIOPosix
import Testing

@testable import RolecallClient

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@Suite("Output", .timeLimit(.minutes(1)))
struct OutputTests {
    init() {
        signal(SIGPIPE, SIG_IGN)
    }

    @Test("lines arrive whole and in order, however many write, also past the pipe's room")
    func wholeLines() async throws {
        try await withThreads { thread in
            let pipe = try Pipe()
            let sink = DescriptorSink(descriptor: pipe.writeEnd, thread: thread)
            let long = String(repeating: "x", count: 100_000)
            try await withThreads { readers in
                async let read: [String] = {
                    let reader = LineReader(descriptor: pipe.readEnd, threads: readers)
                    var lines: [String] = []
                    while lines.count < 40, let line = try await reader.next() { lines.append(line) }
                    return lines
                }()
                try await withThrowingTaskGroup { group in
                    for writer in 0..<4 {
                        group.addTask {
                            for index in 0..<10 { try await sink.write(line: Array("\(writer)\(index)\(long)".utf8)) }
                        }
                    }
                    try await group.waitForAll()
                }
                let lines = try await read
                #expect(lines.allSatisfy { $0.count == 100_002 })
                for writer in 0..<4 {
                    let own = lines.map { $0.prefix(2) }.filter { $0.hasPrefix("\(writer)") }
                    #expect(own == own.sorted() && own.count == 10)
                }
            }
        }
    }

    @Test("a reader who has gone is known, and ends the next line")
    func readerGone() async throws {
        try await withThreads { thread in
            var ends: [CInt] = [-1, -1]
            try #require(pipe(&ends) == 0)
            defer { close(ends[1]) }
            let sink = DescriptorSink(descriptor: ends[1], thread: thread)
            #expect(!sink.isReaderGone)
            try await sink.write(line: Array("one".utf8))
            close(ends[0])
            // A child that another test starts at this moment may hold the end until it becomes another program.
            try await eventually("the reader's going") { sink.isReaderGone }
            await #expect(throws: ReaderGone.self) { try await sink.write(line: Array("two".utf8)) }
        }
    }

    @Test(
        "an output that is full is a failure, and no reader who has gone", .enabled(if: access("/dev/full", W_OK) == 0))
    func full() async throws {
        try await withThreads { thread in
            let full = open("/dev/full", O_WRONLY)
            try #require(full >= 0)
            defer { close(full) }
            await #expect(throws: OutputFailure.self) {
                try await DescriptorSink(descriptor: full, thread: thread).write(line: Array("one".utf8))
            }
        }
    }

    @Test("a reader who takes nothing holds up no cancelled task, whose lines are written as long as there is room")
    func stalledReader() async throws {
        try await withThreads { thread in
            let pipe = try Pipe()
            let sink = DescriptorSink(descriptor: pipe.writeEnd, thread: thread)
            let writer = Task {
                let piece = [UInt8](repeating: 0x78, count: 10_000)
                while true { try await sink.write(line: piece) }
            }
            // The pipe is full when it no longer takes a page.
            try await eventually("a full pipe") {
                var entry = pollfd(fd: pipe.writeEnd, events: CShort(POLLOUT), revents: 0)
                return poll(&entry, 1, 0) == 0
            }
            writer.cancel()
            await #expect(throws: CancellationError.self) { try await writer.value }
        }
        try await withThreads { thread in
            let pipe = try Pipe()
            let sink = DescriptorSink(descriptor: pipe.writeEnd, thread: thread)
            let last = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await sink.write(line: Array("last words".utf8))
            }
            try await last.value
            pipe.closeWriteEnd()
            #expect(try await LineReader(descriptor: pipe.readEnd, threads: thread).next() == "last words")
        }
    }
}

@Suite("Input", .timeLimit(.minutes(1)))
struct InputTests {
    @Test("lines come one by one, with either end, the last without one, and bad bytes repaired")
    func lines() async throws {
        try await withThreads { threads in
            let pipe = try Pipe()
            let reader = LineReader(descriptor: pipe.readEnd, threads: threads)
            pipe.write("one\r\n\ntw")
            #expect(try await reader.next() == "one")
            #expect(try await reader.next() == "")
            async let third = reader.next()
            pipe.write("o\n")
            #expect(try await third == "two")
            var bad: [UInt8] = [0x61, 0xFF, 0x62]
            #expect(write(pipe.writeEnd, &bad, 3) == 3)
            pipe.closeWriteEnd()
            #expect(try await reader.next() == "a\u{FFFD}b")
            #expect(try await reader.next() == nil)
            #expect(try await reader.next() == nil)
        }
    }

    @Test("waiting for a line can be cancelled")
    func cancellation() async throws {
        try await withThreads { threads in
            let pipe = try Pipe()
            let reader = LineReader(descriptor: pipe.readEnd, threads: threads)
            let waiting = Task { try await reader.next() }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
        }
    }

    @Test("a line without end is refused, not kept")
    func endlessLine() async throws {
        try await withThreads { threads in
            let zeros = open("/dev/zero", O_RDONLY)
            try #require(zeros >= 0)
            defer { close(zeros) }
            await #expect(throws: Input.Failure.self) {
                try await LineReader(descriptor: zeros, threads: threads).next()
            }
            await #expect(throws: Input.Failure.self) {
                _ = try await LineReader(descriptor: zeros, threads: threads).rest()
            }
        }
    }
}

@Suite("PasswordPrompt", .timeLimit(.minutes(1)))
struct PasswordPromptTests {
    /// A terminal that a test holds the other end of.
    private final class Terminal: Sendable {
        let master: CInt
        let path: String

        init() throws {
            #if os(Linux)
                // TIOCSPTLCK and TIOCGPTN, which the C library's module does not show; grantpt() has nothing to do here.
                master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
                var lock: CInt = 0
                var number: CUnsignedInt = 0
                guard master >= 0, ioctl(master, 0x4004_5431, &lock) == 0, ioctl(master, 0x8004_5430, &number) == 0
                else {
                    throw SystemError(number: errno)
                }
                path = "/dev/pts/\(number)"
            #else
                master = posix_openpt(O_RDWR | O_NOCTTY)
                guard master >= 0, grantpt(master) == 0, unlockpt(master) == 0, let name = ptsname(master) else {
                    throw SystemError(number: errno)
                }
                path = String(cString: name)
            #endif
        }

        deinit { close(master) }

        var echoes: Bool {
            var mode = termios()
            return tcgetattr(master, &mode) == 0 && mode.c_lflag & tcflag_t(ECHO) != 0
        }

        func type(_ text: String) {
            let bytes = Array(text.utf8)
            _ = write(master, bytes, bytes.count)
        }

        /// What the terminal shows, once it contains `text`.
        func shown(upTo text: String) async throws -> String {
            var shown: [UInt8] = []
            let end = Array(text.utf8)
            try await eventually("\(text) on the terminal") {
                var entry = pollfd(fd: master, events: CShort(POLLIN), revents: 0)
                if poll(&entry, 1, 0) > 0 {
                    var buffer = [UInt8](repeating: 0, count: 1024)
                    let count = read(master, &buffer, buffer.count)
                    shown += buffer.prefix(max(0, count))
                }
                return shown.indices.contains { shown[$0...].starts(with: end) }
            }
            return String(decoding: shown, as: UTF8.self)
        }
    }

    @Test("what is typed is not shown, and the terminal is as it was")
    func hidden() async throws {
        try await withThreads { threads in
            let terminal = try Terminal()
            #expect(terminal.echoes)
            let input = Input(descriptor: -1, terminalPath: terminal.path, threads: threads)
            let asking = Task { try await PasswordPrompt.ask("Password: ", on: input) }
            #expect(try await terminal.shown(upTo: "Password: ") == "Password: ")
            #expect(!terminal.echoes)
            terminal.type("hünter 2\n")
            #expect(try await asking.value == "hünter 2")
            #expect(terminal.echoes)
            #expect(try await !terminal.shown(upTo: "\n").contains("hünter"))
        }
    }

    @Test("a cancelled prompt leaves the terminal as it was")
    func cancelled() async throws {
        try await withThreads { threads in
            let terminal = try Terminal()
            let input = Input(descriptor: -1, terminalPath: terminal.path, threads: threads)
            let asking = Task { try await PasswordPrompt.ask("Password: ", on: input) }
            _ = try await terminal.shown(upTo: "Password: ")
            #expect(!terminal.echoes)
            asking.cancel()
            await #expect(throws: CancellationError.self) { _ = try await asking.value }
            #expect(terminal.echoes)
        }
    }

    @Test("an ended terminal and none at all are failures in a sentence")
    func noTerminal() async throws {
        try await withThreads { threads in
            let terminal = try Terminal()
            let input = Input(descriptor: -1, terminalPath: terminal.path, threads: threads)
            let asking = Task { try await PasswordPrompt.ask("Password: ", on: input) }
            _ = try await terminal.shown(upTo: "Password: ")
            terminal.type("\u{4}")
            await #expect(throws: Input.Failure.self) { _ = try await asking.value }
            #expect(terminal.echoes)
            for path in ["/dev/null", "/nonexistent"] {
                let input = Input(descriptor: -1, terminalPath: path, threads: threads)
                await #expect(throws: Input.Failure.self) { _ = try await PasswordPrompt.ask("?", on: input) }
            }
        }
    }
}
