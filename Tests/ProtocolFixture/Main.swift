import Dispatch
import Glibc

/// A server for conformance tests; see ``Options/usage``.
@main
struct ProtocolFixture {
    static func main() async throws {
        let options: Options
        do throws(Options.Mistake) {
            options = try Options(CommandLine.arguments.dropFirst())
        } catch {
            write("\(error.sentence)\n\(Options.usage)", to: STDERR_FILENO)
            exit(64)
        }
        let fixture = try await Fixture(options)
        write("listening on 127.0.0.1:\(fixture.port)", to: STDOUT_FILENO)
        let (commands, termination) = listen()
        for await command in commands {
            switch command {
            case "count":
                let count = try await fixture.count()
                write("sessions \(count.sessions) connections \(count.open) of \(count.total)", to: STDOUT_FILENO)
            default:
                write("there is no command \(command)", to: STDOUT_FILENO)
            }
        }
        termination.cancel()
        try await fixture.stop()
    }

    /// The lines of standard input up to its end, or to the signal that asks for the fixture's.
    private static func listen() -> (AsyncStream<String>, any DispatchSourceSignal) {
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        signal(SIGTERM, SIG_IGN)
        let termination = DispatchSource.makeSignalSource(signal: SIGTERM)
        termination.setEventHandler { continuation.finish() }
        termination.resume()
        DispatchQueue(label: "commands").async {
            while let line = readLine() { continuation.yield(line) }
            continuation.finish()
        }
        return (stream, termination)
    }

    /// In one piece and at once: whoever waits for a line reads a pipe.
    private static func write(_ line: String, to descriptor: Int32) {
        let bytes = Array((line + "\n").utf8)
        _ = Glibc.write(descriptor, bytes, bytes.count)
    }
}
