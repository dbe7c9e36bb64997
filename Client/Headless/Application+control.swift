import RolecallProtocol
import WireJSON

/// The commands of `watch --control`.
extension Application {
    /// Obeys each line in turn, the next after the answer to the one before.
    ///
    /// - Returns: whether the watch is to end; the end of the input does not end it.
    func obey(_ lines: LineReader, _ supervisor: ConnectionSupervisor) async throws -> Bool {
        while let line = try await lines.next() {
            do {
                guard let command = try ControlCommand(parsing: line) else { continue }
                if command == .quit {
                    try await console.print(.acknowledgement(command: command.name, answer: ["data": "quit"]))
                    return true
                }
                try await perform(command, on: supervisor)
            } catch let error as ControlCommand.Malformed {
                try await console.report(Failure(.usage, error.code, error.description))
            } catch let failure as RequestFailure {
                try await console.report(Failure(failure))
            } catch let error as TokenStoreError {
                try await console.report(Failure(error))
            } catch let failure as Failure {
                try await console.report(failure)
            }
        }
        return false
    }

    /// The answer is told in its place among the events, by whoever shows those.
    private func perform(_ command: ControlCommand, on supervisor: ConnectionSupervisor) async throws {
        let offline = Failure(
            .connectionLost, "offline", "/\(command.name) was not done: there was no connection for 10 s.")
        try await within(Self.answerTimeout, orThrow: offline) { try await supervisor.waitUntilOnline() }
        switch command {
        case .login(let profile):
            let token = try profile.map { try tokenStore($0).token(for: configuration.server) } ?? credential()
            guard let token else {
                throw Failure(
                    .loginFailed, "no_token",
                    "No login is saved for \(configuration.server) in the profile "
                        + "\(profile ?? configuration.profile); use `rolecall login`.")
            }
            try await supervisor.login(command: command.name, token: token, timeout: Self.answerTimeout)
        case .logout:
            try await supervisor.logout(command: command.name, timeout: Self.answerTimeout)
        case .whoami:
            try await supervisor.request(
                command: command.name, ClientEvent.whoami, [], timeout: Self.answerTimeout)
        case .send(let text):
            try await supervisor.request(
                command: command.name, ClientEvent.message, [Self.message(text)], timeout: Self.answerTimeout)
        case .disconnect:
            await supervisor.drop()
            try await console.print(.acknowledgement(command: command.name, answer: ["data": "disconnected"]))
        case .quit: break
        }
    }
}
