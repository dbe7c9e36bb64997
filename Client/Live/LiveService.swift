import NIOHTTP1
import RolecallProtocol
import WireJSON

/// A supervised connection to one server.
final class LiveSession: Sendable {
    let origin: ServerOrigin
    let supervisor: ConnectionSupervisor

    init(origin: ServerOrigin, supervisor: ConnectionSupervisor) {
        self.origin = origin
        self.supervisor = supervisor
    }
}

/// What the screen asks of the server and of the saved logins.
struct LiveService: Sendable {
    let application: Application
    /// Makes the way to a server.
    let connector: @Sendable (ServerOrigin) -> any SocketConnector

    enum LoginResult: Sendable {
        /// - Parameter remark: what went wrong beside it, a whole sentence.
        case associated(remark: String?)
        /// The user is known to another server than the session's.
        case elsewhere(Token, remark: String?)
        case failed(LoginForm.Field?, reason: String)
    }

    func session(at origin: ServerOrigin, credential: Token?) -> LiveSession {
        LiveSession(
            origin: origin,
            supervisor: ConnectionSupervisor(
                connector: connector(origin), machine: ConnectionMachine(persistence: .forever),
                credential: credential, after: nil, logger: application.logger))
    }

    /// The login that is to be presented to a server: the environment's is for the server of the start only.
    func savedLogin(at origin: ServerOrigin) -> (token: Token?, email: String?, remark: String?) {
        let configuration = application.configuration
        if origin == configuration.server, let token = configuration.token { return (token, nil, nil) }
        guard configuration.tokenDirectory != nil else { return (nil, nil, nil) }
        do {
            let store = try application.tokenStore()
            return (try store.token(for: origin), try store.email(for: origin).map { SafeText($0).text }, nil)
        } catch {
            return (nil, nil, "\(error)")
        }
    }

    // MARK: Logging in and out

    /// Logs in by HTTP, and then on the very socket that is there.
    func logIn(_ request: LoginRequest, by session: LiveSession) async -> LoginResult {
        let token: Token
        do {
            token = try await application.requestLogin(
                email: request.email, password: request.password.text, at: request.server
            ).token
        } catch let failure as Failure {
            let isOfCredentials = failure.code == ErrorCode.invalidCredentials.rawValue
            return .failed(isOfCredentials ? .password : nil, reason: failure.message)
        } catch let failure as ConnectFailure {
            return .failed(.server, reason: failure.description)
        } catch {
            return .failed(nil, reason: "\(error)")
        }
        guard request.server == session.origin else {
            return .elsewhere(token, remark: await save(token, request))
        }
        do {
            let answer = try await session.supervisor.login(
                command: RequestName.login, token: token, timeout: Application.answerTimeout)
            if case .refused(let error) = answer { return .failed(nil, reason: error.message) }
        } catch RequestFailure.timedOut {
            return .failed(nil, reason: RequestFailure.timedOut.description)
        } catch {
            // The next connection is associated by its handshake.
            await session.supervisor.present(token)
        }
        return .associated(remark: await save(token, request))
    }

    /// - Returns: what the user should know of it.
    private func save(_ token: Token, _ request: LoginRequest) async -> String? {
        guard request.staysSignedIn else { return nil }
        if let failure = await Self.failure(ofSaving: token, request, application) {
            return "The login was not saved: \(failure)"
        }
        guard application.configuration.token != nil else { return nil }
        return "$ROLECALL_TOKEN is set, and wins over the login that was saved."
    }

    /// Why a token could not be saved; nil where it was.
    private static func failure(
        ofSaving token: Token, _ request: LoginRequest, _ application: Application
    ) async -> String? {
        let store: TokenStore
        do {
            store = try application.tokenStore()
        } catch {
            return "\(error)"
        }
        return await store.failure(ofSaving: token, for: request.server, email: request.email)
    }

    func logOut(_ session: LiveSession) async -> Outcome {
        do {
            try await session.supervisor.logout(command: RequestName.logout, timeout: Application.answerTimeout)
            return .loggedOut
        } catch {
            return .failed(command: "/logout", reason: "\(error)")
        }
    }

    /// Ends the session at the server and forgets the token, whatever the server says.
    func signOut(_ session: LiveSession) async -> Outcome {
        var remark: String?
        let configuration = application.configuration
        do {
            let inUse = await session.supervisor.credential
            let saved =
                configuration.tokenDirectory == nil ? nil : try application.tokenStore().token(for: session.origin)
            if let token = inUse ?? saved {
                let answer = try await application.rest(token: token, at: session.origin).send(
                    .POST, ["auth", "logout"])
                // A token that is no longer good has nothing left to end.
                if !(200..<300).contains(answer.status), answer.status != 401 {
                    remark = "The server did not end the session (status \(answer.status)); it lasts until it expires."
                }
            }
        } catch {
            remark = "The session was not ended, and lasts until it expires: \(error)"
        }
        return .signedOut(sessions: nil, remark: await forget(session) ?? remark)
    }

    /// Ends all sessions of the user; only if that is done, the token is forgotten.
    func signOutEverywhere(_ session: LiveSession) async -> Outcome {
        do {
            let token = await session.supervisor.credential
            let count = try await application.account(token: token, at: session.origin).endAllSessions()
            return .signedOut(sessions: count, remark: await forget(session))
        } catch {
            return .notSignedOut(reason: "\(error)")
        }
    }

    /// Leaves the socket and this machine without the login.
    ///
    /// - Returns: what went wrong, a whole sentence.
    private func forget(_ session: LiveSession) async -> String? {
        await session.supervisor.present(nil)
        // Where the server did not disassociate the socket with the session.
        _ = try? await session.supervisor.logout(command: RequestName.logout, timeout: Application.answerTimeout)
        do {
            if application.configuration.tokenDirectory != nil {
                try await application.tokenStore().remove(session.origin)
            }
            return nil
        } catch {
            return "The saved login was not deleted: \(error)"
        }
    }

    // MARK: Requests

    func send(_ text: String, room: String?, by session: LiveSession) async -> Outcome? {
        do {
            let answer = try await session.supervisor.request(
                command: RequestName.send, ClientEvent.message, [Application.message(text, room: room)],
                timeout: Application.answerTimeout)
            guard case .refused(let error) = Acknowledgement(json: answer) else { return nil }
            return .notSent(text: text, reason: error.message)
        } catch {
            return .notSent(text: text, reason: "\(error)")
        }
    }

    /// Joins a room, or leaves it; what the server answers is told at its place among the events.
    func visit(_ room: String, _ event: String, _ command: String, by session: LiveSession) async -> Outcome? {
        do {
            let answer = try await session.supervisor.request(
                command: command, event, [.string(room)], timeout: Application.answerTimeout)
            guard case .refused(let error) = Acknowledgement(json: answer) else { return nil }
            return .failed(command: "/\(event) \(room.prefix(80))", reason: error.message)
        } catch {
            return .failed(command: "/\(event) \(room.prefix(80))", reason: "\(error)")
        }
    }

    func whoami(_ session: LiveSession) async -> Outcome? {
        do {
            try await session.supervisor.request(
                command: RequestName.whoami, ClientEvent.whoami, [], timeout: Application.answerTimeout)
            return nil
        } catch {
            return .failed(command: "/whoami", reason: "\(error)")
        }
    }
}
