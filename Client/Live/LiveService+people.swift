import RolecallProtocol

/// Sessions, sockets and explanations, as the pages show them.
extension LiveService {
    func list(_ thing: ListedThing, generation: Int, by session: LiveSession) async -> Outcome {
        let account = await account(of: session)
        do {
            switch thing {
            case .sessions: return .sessions(try await account.sessions(), generation: generation)
            case .sockets: return .sockets(try await account.sockets(), generation: generation)
            }
        } catch {
            let isDenied = (error as? Failure)?.exitCode == .denied
            return .notListed(thing, reason: "\(error)", isDenied: isDenied, generation: generation)
        }
    }

    func endSession(_ id: String, by session: LiveSession) async -> Outcome {
        do {
            try await account(of: session).endSession(id)
            return .sessionEnded
        } catch {
            return .failed(command: "The session was not ended", reason: "\(error)")
        }
    }

    func kick(_ target: KickTarget, closes: Bool, by session: LiveSession) async -> Outcome {
        let account = await account(of: session)
        do {
            let (ids, name) =
                switch target {
                case .sockets(let ids, let name): (ids, name)
                case .named(let name): (try await account.sockets(named: name), name)
                }
            var count = 0
            for id in ids where try await account.kick(id, closes: closes) != nil { count += 1 }
            return .kicked(count: count, name: name)
        } catch {
            return .failed(command: "Not kicked", reason: "\(error)")
        }
    }

    func explain(_ request: ExplanationRequest, by session: LiveSession) async -> Outcome {
        let token = await session.supervisor.credential
        let models = ModelClient(rest: application.rest(token: token, at: session.origin))
        do {
            return .explained(request, try await models.explanation(of: request.position, for: request.user))
        } catch {
            return .notExplained(request, reason: "\(error)")
        }
    }

    private func account(of session: LiveSession) async -> AccountClient {
        application.account(token: await session.supervisor.credential, at: session.origin)
    }
}
