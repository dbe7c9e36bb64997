import Dispatch
import Logging
import NIOPosix
import Terminal

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The program `rolecall`: reads its arguments, runs, and exits. Nothing else in it exits.
@main
enum Main {
    /// How long a run may take to end once a signal has asked it to.
    private static let patience = DispatchTimeInterval.seconds(2)

    static func main() async {
        // A reader that closes the pipe is told by the write that fails.
        signal(SIGPIPE, SIG_IGN)
        let environment = environment
        let invocation = Invocation(
            arguments: Array(CommandLine.arguments.dropFirst()), environment: environment,
            file: ConfigurationFile.read(environment))
        switch invocation {
        case .run(let configuration):
            switch configuration.verb {
            case .screen(let request):
                if let code = await runScreen(configuration, request) { exit(code.rawValue) }
            case .replay(let request):
                // A file that can't be read is told of where a shell shows it.
                if let replay = try? Replay(request) {
                    let screen = ScreenRequest(buffer: request.buffer)
                    if let code = await runScreen(configuration, screen, replay) { exit(code.rawValue) }
                }
            default: break
            }
            exit(await run(configuration).rawValue)
        case .print(let text):
            print(text)
            exit(ExitCode.done.rawValue)
        case .misuse(let text):
            let line = Array("\(text)\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
            exit(ExitCode.usage.rawValue)
        }
    }

    /// Runs the live screen; nil where there is no terminal that can show it.
    ///
    /// The screen itself hears of the signals, so that the terminal is given back first.
    @MainActor
    private static func runScreen(
        _ configuration: Configuration, _ request: ScreenRequest, _ replay: Replay? = nil
    ) async -> ExitCode? {
        let screen: CursesScreen
        do {
            screen = try CursesScreen.open()
        } catch {
            switch error {
            case .notATerminal, .dumbTerminal: break
            default: complain("\(error); here are lines in place of the screen.")
            }
            return nil
        }
        let (output, input) = streams()
        return await Application.run(
            configuration, request, on: screen, output: output, input: input, replay: replay,
            willEnd: { code in
                // The connection is closed in good order, if that takes no longer than a user will wait.
                DispatchQueue.global().asyncAfter(deadline: .now() + patience) { exit(code.rawValue) }
            })
    }

    private static func complain(_ sentence: String) {
        let line = Array("rolecall: \(sentence)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }

    private static func streams() -> (Output, Input) {
        // One thread for each that may block: a reader who takes nothing must not hold up the other two.
        let threads = (0..<3).map { _ in NIOThreadPool(numberOfThreads: 1) }
        for thread in threads { thread.start() }
        let output = Output(
            lines: DescriptorSink(descriptor: STDOUT_FILENO, thread: threads[0]),
            messages: DescriptorSink(descriptor: STDERR_FILENO, thread: threads[1]))
        return (output, Input(descriptor: STDIN_FILENO, terminalPath: "/dev/tty", threads: threads[2]))
    }

    private static func run(_ configuration: Configuration) async -> ExitCode {
        let (output, input) = streams()
        let logger = Logger(label: "rolecall") { StreamLogHandler.standardError(label: $0) }

        let signals = EndingSignals(patience: patience)
        defer { signals.ignore() }
        let codes = signals.codes
        return await withTaskGroup(of: ExitCode?.self) { group in
            group.addTask { await Application.run(configuration, output: output, input: input, logger: logger) }
            group.addTask { await codes.first { _ in true } }
            let first = await group.next() ?? nil
            group.cancelAll()
            // The run is awaited even when a signal came first: its connection is closed, its terminal restored.
            await group.waitForAll()
            return first ?? .failed
        }
    }

    /// What of the environment concerns the program.
    private static var environment: [String: String] {
        var environment: [String: String] = [:]
        for name in [
            "ROLECALL_SERVER", "ROLECALL_PROFILE", "ROLECALL_TOKEN", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "HOME",
        ] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        return environment
    }
}

/// The signals that ask the program to end.
private struct EndingSignals {
    /// How the program should end, for each signal that came.
    let codes: AsyncStream<ExitCode>
    private let sources: [any DispatchSourceSignal]

    /// - Parameter patience: after this long, and at a second signal, the program ends without its run.
    init(patience: DispatchTimeInterval) {
        let (codes, continuation) = AsyncStream.makeStream(of: ExitCode.self)
        let queue = DispatchQueue(label: "signals")
        let codeOfSignal: [(CInt, ExitCode)] = [
            (SIGINT, .interrupted), (SIGTERM, .terminated), (SIGHUP, .hungUp), (SIGQUIT, .quit),
        ]
        var sources: [any DispatchSourceSignal] = []
        for (number, code) in codeOfSignal {
            let wasIgnored =
                unsafeBitCast(signal(number, SIG_IGN), to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
            // What `nohup` has silenced stays silent.
            if number == SIGHUP, wasIgnored { continue }
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            let isFirst = AtomicFlag()
            source.setEventHandler {
                if isFirst.isRaised { exit(code.rawValue) }
                isFirst.raise()
                continuation.yield(code)
                queue.asyncAfter(deadline: .now() + patience) { exit(code.rawValue) }
            }
            source.activate()
            sources.append(source)
        }
        self.codes = codes
        self.sources = sources
    }

    /// The program is ending anyway.
    func ignore() {
        for source in sources { source.cancel() }
    }
}
