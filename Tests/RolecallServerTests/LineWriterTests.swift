import Foundation
import Glibc
import Logging
import Synchronization
import TestSupport
import Testing
import WireJSON

@testable import RolecallServer

/// `F_SETPIPE_SZ` (fcntl(2)), which the C library shows only on demand.
private let setPipeSize: CInt = 1031

/// A pipe whose reader reads when it is told to.
private final class LogPipe: Sendable {
    let reading: CInt
    let writing: CInt

    /// - Parameter capacity: the bytes that it holds while nobody reads.
    init(capacity: CInt = 4096) throws {
        var ends: [CInt] = [0, 0]
        try #require(Glibc.pipe(&ends) == 0)
        (reading, writing) = (ends[0], ends[1])
        try #require(fcntl(writing, setPipeSize, capacity) >= 0)
    }

    deinit {
        close(reading)
        close(writing)
    }

    /// Reads lines, in a thread of its own, until one has this text in it.
    func lines(until text: String) async -> [String] {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [self] in
                var bytes: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 4096)
                while bytes.last != UInt8(ascii: "\n")
                    || !String(decoding: bytes.suffix(4096), as: UTF8.self).contains(text)
                {
                    let count = read(reading, &buffer, buffer.count)
                    guard count > 0 else { break }
                    bytes += buffer[..<count]
                }
                continuation.resume(
                    returning: String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init))
            }
        }
    }
}

@Suite("The log's writer", .timeLimit(.minutes(1)))
struct LineWriterTests {
    private func logger(_ writer: LineWriter, _ format: LineLogHandler.Format = .text) -> Logger {
        Logger(label: "test") { _ in LineLogHandler(format: format, level: .trace, writer: writer) }
    }

    /// Runs a body on a thread of its own, which may be held up, and waits for its end.
    private func onThread<Output: Sendable>(_ body: @escaping @Sendable () -> Output) async -> Output {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: body()) }
        }
    }

    /// The number that ends a line of these tests.
    private func number(_ line: String) -> Int? { line.split(separator: " ").last.flatMap { Int($0) } }

    @Test("whoever logs is not held up by a reader that reads nothing; what is too much is dropped and counted")
    func unread() async throws {
        let pipe = try LogPipe()
        let writer = LineWriter(descriptor: pipe.writing, limit: 100_000)
        let logger = logger(writer)
        let count = 20_000
        await onThread { for line in 0..<count { logger.info("line \(line)") } }
        #expect(!writer.flush(within: .milliseconds(20)), "Nothing of it can be written.")

        async let reading = pipe.lines(until: "after")
        // The line that tells of those dropped waits for room, as every line does.
        #expect(await onThread { writer.flush(within: .seconds(30)) })
        logger.info("after")
        let lines = await reading
        let told = lines.prefix { number($0) != nil }.compactMap(number)
        #expect(told == Array(0..<told.count), "What came first is there, in its order.")
        #expect(told.count > 1000 && told.count < count / 2)
        let rest = Array(lines.dropFirst(told.count))
        #expect(rest.count == 2)
        #expect(rest.first?.hasSuffix(" warning dropped \(count - told.count) lines of the log") == true, "\(rest)")
        #expect(rest.last?.hasSuffix("after") == true)
    }

    @Test("the next line that fits says how many were dropped, as JSON where the log is JSON")
    func nextLine() async throws {
        let pipe = try LogPipe()
        let writer = LineWriter(descriptor: pipe.writing, limit: 20_000)
        let logger = logger(writer, .json)
        // Longer than all that may wait.
        logger.info("\(String(repeating: "x", count: 30_000))")
        logger.info("after")
        let lines = try await pipe.lines(until: "after").map { try JSON(parsing: $0) }
        #expect(lines.map { $0["message"] } == ["dropped 1 line of the log", "after"])
        #expect(lines.first?["level"] == "warning")
    }

    @Test("lines of many threads are whole, and those of each in its order")
    func threads() async throws {
        let pipe = try LogPipe(capacity: 1 << 16)
        let writer = LineWriter(descriptor: pipe.writing)
        let logger = logger(writer)
        async let reading = pipe.lines(until: "the last")
        await withTaskGroup(of: Void.self) { group in
            for thread in 0..<8 {
                group.addTask {
                    await onThread { for line in 0..<500 { logger.info("of \(thread) number \(line)") } }
                }
            }
        }
        #expect(await onThread { writer.flush(within: .seconds(30)) })
        logger.info("the last")
        let lines = await reading
        #expect(lines.count == 8 * 500 + 1)
        for thread in 0..<8 {
            #expect(lines.filter { $0.contains("of \(thread) number") }.compactMap(number) == Array(0..<500))
        }
    }

    @Test("a flush lasts until all that was given before is read, or until its time is over")
    func flushing() async throws {
        let pipe = try LogPipe()
        let writer = LineWriter(descriptor: pipe.writing)
        let logger = logger(writer)
        #expect(writer.flush(within: .zero), "Nothing was given.")
        for line in 0..<1000 { logger.info("line \(line)") }
        let start = ContinuousClock.now
        #expect(!writer.flush(within: .milliseconds(50)))
        #expect(ContinuousClock.now - start < .seconds(30))
        async let flushed = onThread { writer.flush(within: .seconds(30)) }
        let lines = await pipe.lines(until: "line 999")
        #expect(await flushed)
        #expect(lines.compactMap(number) == Array(0..<1000))
    }

    @Test("a pipe that nobody can read any more, and one that does not block, end and lose nothing else")
    func refusing() async throws {
        let pipe = try LogPipe()
        #expect(fcntl(pipe.writing, F_SETFL, O_NONBLOCK) == 0)
        let writer = LineWriter(descriptor: pipe.writing)
        for line in 0..<1000 { logger(writer).info("line \(line)") }
        #expect(await pipe.lines(until: "line 999").compactMap(number) == Array(0..<1000))

        var ends: [CInt] = [0, 0]
        try #require(Glibc.pipe(&ends) == 0)
        close(ends[0])
        defer { close(ends[1]) }
        let deaf = LineWriter(descriptor: ends[1])
        logger(deaf).info("one")
        logger(deaf).info("two")
        #expect(await onThread { deaf.flush(within: .seconds(30)) })
    }

    @Test("lines that a full disk refuses are counted, and told of when it takes some again")
    func fullDisk() async throws {
        let path = NSTemporaryDirectory() + "rolecall-log-\(UUID().uuidString)"
        let (full, file) = (open("/dev/full", O_WRONLY | O_CLOEXEC), open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
        let descriptor = dup(full)
        try #require(full >= 0 && file >= 0 && descriptor >= 0)
        defer {
            for each in [full, file, descriptor] { close(each) }
            unlink(path)
        }
        let writer = LineWriter(descriptor: descriptor)
        for line in 0..<3 { logger(writer).info("line \(line)") }
        // The second time, the line that tells of them is refused itself.
        for _ in 0..<2 { #expect(await onThread { writer.flush(within: .seconds(30)) }) }
        try #require(dup2(file, descriptor) == descriptor)
        logger(writer).info("after")
        #expect(await onThread { writer.flush(within: .seconds(30)) })
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.hasSuffix("dropped 3 lines of the log") == true, "\(lines)")
        #expect(lines.last?.hasSuffix("after") == true)
    }
}
