import NIOHTTP1
import RolecallProtocol
import WireJSON

extension Application {
    func login(email: String, passwordFromInput: Bool) async throws {
        let server = configuration.server
        guard server.mayCarryPassword || configuration.isInsecure else {
            throw Failure(
                .usage, "insecure",
                "\(server) is another machine without TLS, where anybody on the way could read the password; "
                    + "use https://, or --insecure if you know the way.")
        }
        let store = try tokenStore()
        let password = try await password(for: email, fromInput: passwordFromInput)
        let (token, user) = try await requestLogin(email: email, password: password, at: server)
        try await store.save(token, for: server, email: email)
        if configuration.token != nil {
            await console.say("$ROLECALL_TOKEN is set, and wins over the token that was just saved.")
        }
        try await console.print(
            .login(
                user: user, expiresAt: token.expiresAt, server: server,
                profile: configuration.profile))
    }

    /// Logs in by HTTP.
    ///
    /// - Throws: ``Failure``, ``ConnectFailure``, ``RequestFailure``, ``RESTClient/InvalidAnswer``.
    func requestLogin(
        email: String, password: String, at server: ServerOrigin
    ) async throws -> (token: Token, user: JSON) {
        let answer = try await rest(token: nil, at: server).send(
            .POST, ["auth", "local"], body: ["email": .string(email), "password": .string(password)])
        guard (200..<300).contains(answer.status) else { throw refusalOfLogin(answer) }
        guard let token = answer.json["token"]?.stringValue.flatMap(Token.init) else {
            throw RESTClient.InvalidAnswer(description: "The server's answer to the login holds no token.")
        }
        return (token, answer.json["user"] ?? .null)
    }

    /// Ends the session of the token in use. A saved token is forgotten whatever the server says.
    func logout() async throws {
        let server = configuration.server
        guard let token = try credential() else {
            await console.say("No login is saved for \(server) (profile \(configuration.profile)).")
            try await console.print(
                .logout(hadToken: false, revoked: false, server: server, profile: configuration.profile))
            return
        }
        var failure: Failure?
        var isRevoked = false
        do {
            let answer = try await rest(token: token).send(.POST, ["auth", "logout"])
            isRevoked = (200..<300).contains(answer.status)
            // A token that is no longer good has nothing left to end.
            if !isRevoked, answer.status != 401 { failure = self.failure(of: answer) }
        } catch let error as ConnectFailure {
            failure = Failure(error)
        } catch let error as RequestFailure {
            failure = Failure(error)
        } catch let error as RESTClient.InvalidAnswer {
            failure = Failure(.failed, "invalid_answer", error.description)
        }
        if configuration.token == nil {
            try await tokenStore().remove(server)
            failure?.message += " The saved token was deleted; its session goes on until it expires."
        } else {
            await console.say("The token of $ROLECALL_TOKEN is for you to unset; saved tokens were left alone.")
        }
        if let failure { throw failure }
        try await console.print(
            .logout(hadToken: true, revoked: isRevoked, server: server, profile: configuration.profile))
    }

    func whoami() async throws {
        try await within(Self.answerTimeout * 2, orThrow: .timedOut("The server did not say who this is.")) {
            try await withConnection(.once) { supervisor in
                try await firstIdentity(of: supervisor) { identity, position in
                    try await console.print(.identity(identity, position))
                }
            }
        }
    }

    private func password(for email: String, fromInput: Bool) async throws -> String {
        let password: String
        if fromInput {
            password = try await input.lines().next() ?? ""
        } else {
            let safeEmail = SafeText(email)
            password = try await PasswordPrompt.ask("Password of \(safeEmail) at \(configuration.server): ", on: input)
        }
        guard !password.isEmpty else { throw Input.Failure(description: "No password was given.") }
        return password
    }

    /// Whatever the reason, the login failed; but a server in trouble is no refusal.
    private func refusalOfLogin(_ answer: RESTClient.Answer) -> Failure {
        var failure = failure(of: answer)
        if answer.status == 401 || answer.status == 403 || answer.status == 429 { failure.exitCode = .loginFailed }
        return failure
    }
}
