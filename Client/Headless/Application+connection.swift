import RolecallProtocol

/// What the verbs that use a socket have in common.
extension Application {
    /// Where this run's tokens are saved.
    func tokenStore(_ profile: Profile? = nil) throws -> TokenStore {
        guard let directory = configuration.tokenDirectory else {
            throw Failure(
                .failed, "token_store", "There is no place for tokens: neither $XDG_STATE_HOME nor $HOME is set.")
        }
        return TokenStore(directory: directory, profile: profile ?? configuration.profile)
    }

    /// The token to present: that of the environment, else the saved one; nil where there is none.
    func credential() throws -> Token? {
        if let token = configuration.token { return token }
        guard configuration.tokenDirectory != nil else { return nil }
        return try tokenStore().token(for: configuration.server)
    }

    /// Runs a body with a supervised connection, which is closed when it returns.
    func withConnection<Result: Sendable>(
        _ persistence: ConnectionMachine.Persistence, after: Position? = nil,
        _ body: (ConnectionSupervisor) async throws -> Result
    ) async throws -> Result {
        let supervisor = ConnectionSupervisor(
            connector: connector, machine: ConnectionMachine(persistence: persistence),
            credential: try credential(), after: after, logger: logger)
        do {
            let result = try await body(supervisor)
            await supervisor.close()
            return result
        } catch {
            await supervisor.close()
            throw error
        }
    }

    /// Waits for a one-shot connection's first identity.
    ///
    /// - Throws: ``Failure``; also where a token was presented and refused, after `show` has seen the identity.
    func firstIdentity(
        of supervisor: ConnectionSupervisor, show: (Identity, Position?) async throws -> Void = { _, _ in }
    ) async throws {
        while let notice = await supervisor.next() {
            guard case .identity(let identity, let position) = notice else { continue }
            try await show(identity, position)
            if identity.reason.isRefusal, await supervisor.credential != nil { throw refusal(identity.reason) }
            return
        }
        try Task.checkCancellation()
        throw Failure(await supervisor.ending ?? .closed)
    }

    func refusal(_ reason: IdentityReason) -> Failure {
        let source = configuration.token == nil ? "saved" : "environment's"
        return Failure(
            .loginFailed, reason.rawValue,
            "The \(source) token is no longer good (\(reason)); log in with `rolecall login`.")
    }
}

/// Runs an operation for so long at most; at the deadline it is cancelled and awaited.
func within<Result: Sendable>(
    _ duration: Duration, orThrow failure: Failure, _ operation: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        group.addTask(operation: operation)
        group.addTask {
            try await Task.sleep(for: duration)
            throw failure
        }
        defer { group.cancelAll() }
        guard let result = try await group.next() else { throw CancellationError() }
        return result
    }
}
