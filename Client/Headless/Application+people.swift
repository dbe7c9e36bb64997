import RolecallProtocol
import WireJSON

extension Application {
    /// Shows who is on: to those who may know of sockets, each of them; to other users, the people as the server tells
    /// a socket of theirs.
    func who() async throws {
        let sockets: [SocketRecord]
        do {
            sockets = try await account(token: credential()).sockets()
        } catch let failure as Failure where failure.exitCode == .denied {
            for presence in try await peopleOn() { try await console.print(.presence(presence)) }
            return
        }
        for socket in sockets { try await console.print(.socket(socket)) }
    }

    /// Leaves a socket, or all those of one user, to nobody.
    func kick(_ name: String, closes: Bool) async throws {
        let account = account(token: try credential())
        var kicked = 0
        for id in try await account.sockets(named: name) {
            guard let user = try await account.kick(id, closes: closes) else { continue }
            kicked += 1
            try await console.print(.kicked(socket: id, user: user, closes: closes))
        }
        guard kicked > 0 else {
            let what = name.contains("@") ? "No socket belongs to \(name)." : "There is no socket \(name)."
            throw Failure(.failed, ErrorCode.notFound.rawValue, what)
        }
    }

    private func peopleOn() async throws -> [Presence] {
        let silence = Failure.timedOut("The server did not say who is on.")
        return try await within(Self.answerTimeout, orThrow: silence) {
            try await withConnection(.once) { supervisor in try await peopleOn(as: supervisor) }
        }
    }

    /// Whoever may know is told of everybody who is on, of himself too; what stands before the answer to a request
    /// that is made after that is all of it.
    private func peopleOn(as supervisor: ConnectionSupervisor) async throws -> [Presence] {
        let fence = "who"
        return try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            var people: [Int64: Presence] = [:]
            var own: Int64?
            var isAsked = false
            while let notice = await supervisor.next() {
                switch notice {
                case .identity(let identity, _):
                    if identity.reason.isRefusal, await supervisor.credential != nil { throw refusal(identity.reason) }
                    guard let user = identity.user else {
                        throw Failure(.denied, ErrorCode.forbidden.rawValue, "Only those who are logged in are told.")
                    }
                    own = user.id
                case .presence(let presence): people[presence.userID] = presence.isOn ? presence : nil
                case .answer(fence, _): return people.values.sorted { ($0.name, $0.userID) < ($1.name, $1.userID) }
                default: break
                }
                guard !isAsked, let own, people[own] != nil else { continue }
                isAsked = true
                group.addTask {
                    try await supervisor.request(
                        command: fence, ClientEvent.whoami, [], timeout: Self.answerTimeout)
                }
            }
            try Task.checkCancellation()
            throw Failure(await supervisor.ending ?? .closed)
        }
    }
}
