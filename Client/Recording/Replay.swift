import NIOPosix
import RolecallProtocol
import WireJSON

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What to replay, and how fast.
struct ReplayRequest: Hashable, Sendable {
    enum Pace: Hashable, Sendable {
        case instant
        /// So many times as fast as it happened; more than 0.
        case times(Double)
    }

    let path: String
    var pace = Pace.times(1)
    var buffer = 10_000
}

/// What a recording tells.
enum ReplayItem: Hashable, Sendable {
    /// - Parameters:
    ///   - at: when it happened, as far as the recording knows.
    ///   - server: where, if the line says so.
    case notice(Notice, at: Timestamp?, server: ServerOrigin?)
    /// - Parameter reason: a whole sentence.
    case damaged(line: Int, reason: String)
    /// - Parameter fault: why there is no more, where it is not that the file ends; a whole sentence.
    case over(lines: Int, fault: String?)
}

/// Reads a recording, and tells what is in it as far apart as it happened. For one caller at a time.
actor Replay {
    /// The longest pause: nobody waits for a night to pass.
    static let longestPause = Duration.seconds(10)

    private let descriptor: CInt
    private let reader: LineReader
    private let pace: ReplayRequest.Pace
    private let sleep: @Sendable (Duration) async throws -> Void
    private var line = 0
    /// When the event before happened.
    private var before: Timestamp?
    private var isOver = false

    /// - Parameter sleep: another way to let time pass, for tests.
    init(
        _ request: ReplayRequest,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) throws(FileFault) {
        descriptor = try EventFile.open(reading: request.path)
        reader = LineReader(descriptor: descriptor, threads: .singleton)
        pace = request.pace
        self.sleep = sleep
    }

    deinit { close(descriptor) }

    /// The next item when it is due; nil after the end, and when the task is cancelled.
    func next() async -> ReplayItem? {
        guard !isOver else { return nil }
        do {
            while let text = try await reader.next() {
                line += 1
                guard text.contains(where: { !$0.isWhitespace }) else { continue }
                return try await item(text)
            }
            isOver = true
            return .over(lines: line, fault: nil)
        } catch is CancellationError {
            isOver = true
            return nil
        } catch {
            isOver = true
            return .over(lines: line, fault: "\(error)")
        }
    }

    private func item(_ text: String) async throws -> ReplayItem {
        let json: JSON
        do {
            json = try JSON(parsing: text)
        } catch {
            return .damaged(line: line, reason: "it is no JSON.")
        }
        guard let notice = Notice(recorded: json) else {
            return .damaged(line: line, reason: "it is no line that watch or /record writes.")
        }
        if case .event(let event) = notice, let at = Timestamp(event.at) {
            try await pause(until: at)
            before = at
        }
        let server = json["server"]?.stringValue.flatMap { try? ServerOrigin(parsing: $0) }
        return .notice(notice, at: before, server: server)
    }

    private func pause(until at: Timestamp) async throws {
        guard let before, case .times(let speed) = pace else { return try Task.checkCancellation() }
        let passed = at.milliseconds.subtractingReportingOverflow(before.milliseconds)
        guard !passed.overflow, passed.partialValue > 0 else { return }
        let longest = Double(Self.longestPause.components.seconds) * 1000
        try await sleep(.milliseconds(Int64(min(Double(passed.partialValue) / speed, longest).rounded())))
    }
}
