import Logging
import RolecallProtocol

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One run of the program.
struct Application: Sendable {
    /// How long an answer to a socket's event may take, and the first identity of a connection.
    static let answerTimeout = Duration.seconds(10)

    let configuration: Configuration
    let console: Console
    let input: Input
    let logger: Logger
    let connector: any SocketConnector

    /// Does what the configuration says. Cancelling the task ends it soon, with its connection closed.
    ///
    /// - Parameters:
    ///   - logger: for what is worth a line on standard error, from the configured level on.
    ///   - connector: another way to the server than Socket.IO, for tests.
    /// - Returns: how the program should end; ``ExitCode/interrupted`` where the task was cancelled.
    static func run(
        _ configuration: Configuration, output: Output, input: Input,
        logger: Logger = Logger(label: "rolecall") { _ in SwiftLogNoOpLogHandler() },
        connector: (any SocketConnector)? = nil
    ) async -> ExitCode {
        var logger = logger
        logger.logLevel = configuration.logLevel
        let format: Console.Format =
            switch configuration.verb {
            case .watch(let request): request.format
            case .explain(_, _, let format): format
            case .screen, .replay: .line
            default: .json
            }
        let application = Application(
            configuration: configuration, console: Console(output: output, format: format), input: input,
            logger: logger,
            connector: connector
                ?? SocketIOConnector(
                    origin: configuration.server, certificateFile: configuration.certificateFile))
        for mistake in configuration.file.mistakes { await application.console.say("\(mistake)") }
        do {
            try await application.perform(configuration.verb)
            return .done
        } catch is ReaderGone {
            return .done
        } catch is CancellationError {
            return .interrupted
        } catch let failure as OutputFailure {
            await application.console.say("Standard output can't be written: \(failure).")
            return .failed
        } catch {
            let failure = Failure(any: error)
            // What went wrong decides, whether or not there is still somebody to read of it.
            try? await application.console.report(failure)
            return failure.exitCode
        }
    }

    private func perform(_ verb: Verb) async throws {
        try checkCertificateFile()
        switch verb {
        case .screen:
            // Whoever has a terminal for it runs it there; here is none.
            try await watch(WatchRequest(format: .line))
        case .login(let email, let passwordFromInput):
            try await login(email: email, passwordFromInput: passwordFromInput)
        case .logout: try await logout()
        case .whoami: try await whoami()
        case .watch(let request): try await watch(request)
        case .expect(let query, let timeout, let after):
            try await expect(query, timeout: timeout, after: after)
        case .send(let text, let room): try await send(text, room: room)
        case .create(let model, let fields): try await create(model, fields)
        case .update(let model, let key, let fields): try await update(model, key, fields)
        case .remove(let model, let key): try await remove(model, key)
        case .list(let model, let limit, let after, let fields):
            try await list(model, limit: limit, after: after, fields)
        case .get(let model, let key): try await get(model, key)
        case .who: try await who()
        case .kick(let name, let closes): try await kick(name, closes: closes)
        case .explain(let position, let user, _): try await explain(position, to: user)
        case .replay(let request): try await replay(request)
        }
    }

    /// Finds the mistyped name of a file before it looks like a server's fault.
    private func checkCertificateFile() throws {
        guard let file = configuration.certificateFile, access(file, R_OK) != 0 else { return }
        let fault = String(cString: strerror(errno))
        throw Failure(.usage, "cacert", "The certificates in \(file) can't be read: \(fault).")
    }
}

extension Failure {
    /// What any error comes to.
    fileprivate init(any error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let failure as ConnectFailure: self.init(failure)
        case let failure as RequestFailure: self.init(failure)
        case let error as TokenStoreError: self.init(error)
        case let failure as Input.Failure: self.init(failure)
        case let fault as FileFault: self.init(.usage, "file", fault.description)
        case let answer as RESTClient.InvalidAnswer: self.init(.failed, "invalid_answer", answer.description)
        default: self.init(.failed, "internal", "An internal error: \(error)")
        }
    }
}
