import Logging
import NIOPosix
import RolecallProtocol
import Synchronization
import Testing
import WireJSON

@testable import RolecallClient

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

let quietLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Keeps the lines that it is given.
final class RecordingSink: LineSink {
    private let state = Mutex((lines: [String](), isGone: false))

    var lines: [String] { state.withLock(\.lines) }
    var isReaderGone: Bool { state.withLock(\.isGone) }

    func leave() { state.withLock { $0.isGone = true } }

    func write(line: [UInt8]) async throws {
        try state.withLock { state in
            if state.isGone { throw ReaderGone() }
            state.lines.append(String(decoding: line, as: UTF8.self))
        }
    }

    /// The lines as JSON; a line that is none is null.
    var json: [JSON] { lines.map { (try? JSON(parsing: $0)) ?? .null } }

    /// What each line is: its kind, and what tells it from others of the kind.
    var summary: [String] {
        json.map { line in
            let detail = line["state"] ?? line["reason"] ?? line["error"] ?? line["command"] ?? line["event"]
            return [line["kind"], detail].compactMap { $0?.stringValue }.joined(separator: " ")
        }
    }
}

/// Waits until a condition holds; fails the test when it does not within five seconds.
func eventually(
    _ what: Comment, location: SourceLocation = #_sourceLocation,
    isolation: isolated (any Actor)? = #isolation,
    _ condition: () async -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while await !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record(what, sourceLocation: location)
            throw TookTooLong()
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}

struct TookTooLong: Error {}

/// A pipe whose ends are closed with it.
final class Pipe: Sendable {
    let readEnd: CInt
    let writeEnd: CInt
    private let isWriteEndOpen = Mutex(true)

    init() throws {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemError(number: errno) }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        closeWriteEnd()
        close(readEnd)
    }

    func write(_ text: String) {
        let bytes = Array(text.utf8)
        #if canImport(Darwin)
            _ = Darwin.write(writeEnd, bytes, bytes.count)
        #elseif canImport(Musl)
            _ = Musl.write(writeEnd, bytes, bytes.count)
        #else
            _ = Glibc.write(writeEnd, bytes, bytes.count)
        #endif
    }

    func closeWriteEnd() {
        isWriteEndOpen.withLock { isOpen in
            if isOpen { close(writeEnd) }
            isOpen = false
        }
    }
}

/// Runs a body with threads for what blocks.
func withThreads<Result>(_ body: (NIOThreadPool) async throws -> Result) async throws -> Result {
    let threads = NIOThreadPool(numberOfThreads: 1)
    threads.start()
    do {
        let result = try await body(threads)
        try await threads.shutdownGracefully()
        return result
    } catch {
        try await threads.shutdownGracefully()
        throw error
    }
}

/// One run of the program inside the test.
struct Run: Sendable {
    let lines = RecordingSink()
    let messages = RecordingSink()
    let input: Pipe

    init(input text: String? = nil) throws {
        input = try Pipe()
        if let text {
            input.write(text)
            input.closeWriteEnd()
        }
    }

    /// Runs a command line to its end.
    func callAsFunction(
        _ arguments: [String], environment: [String: String] = [:], connector: (any SocketConnector)? = nil
    ) async throws -> ExitCode {
        switch Invocation(arguments: arguments, environment: environment) {
        case .run(let configuration):
            try await withThreads { threads in
                await Application.run(
                    configuration, output: Output(lines: lines, messages: messages),
                    input: Input(descriptor: input.readEnd, terminalPath: "/dev/null", threads: threads),
                    connector: connector)
            }
        case .print: .done
        case .misuse: .usage
        }
    }
}
