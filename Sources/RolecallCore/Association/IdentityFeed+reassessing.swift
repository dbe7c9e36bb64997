import ModelStore
import RolecallProtocol
import SocketIOServer

/// Where the feed can't say what has changed (a new era, or a reader that was away too long), each identity is read anew.
extension IdentityFeed {
    /// How often a record is asked for before its sockets are let go, and how long in between.
    private static let attempts = 25
    private static let pause = Duration.milliseconds(200)

    func reassess(_ hub: SocketHub) async {
        let sockets = await server.sockets(in: nil).filter { $0.hub === hub }
        guard let first = sockets.first else { return }
        let claims = await first.onLoop { _ in
            Set(sockets.compactMap { $0.identity?.principal.map(Claimant.init)?.claim })
        }
        for claim in claims {
            let record = await record(of: claim)
            await first.onLoop { _ in
                for socket in sockets where socket.identity?.principal.map(Claimant.init)?.claim == claim {
                    reassess(socket, claim, by: record)
                }
            }
        }
    }

    private enum Finding: Sendable {
        case record(ClaimantRecord)
        case unknownUser
        case unreadable
    }

    private func record(of claim: Claim) async -> Finding {
        for _ in 0..<Self.attempts {
            do {
                let record = try await store.claimant(user: claim.user, session: claim.session)
                return record.map(Finding.record) ?? .unknownUser
            } catch {
                try? await Task.sleep(for: Self.pause)
            }
        }
        return .unreadable
    }

    private func reassess(_ socket: Socket, _ claim: Claim, by finding: Finding) {
        guard socket.isConnected else { return }
        switch finding {
        case .unknownUser: association.disassociate(socket, reason: .userRemoved)
        // The client comes back, and its token is judged when the records can be read.
        case .unreadable: socket.disconnect(close: true)
        case .record(let record):
            do throws(ClaimRefusal) {
                try record.confirm(claim)
                association.update(socket, to: record.identity.summary, readAt: record.readAt)
            } catch {
                association.disassociate(socket, reason: error == .sessionEnded ? .signedOut : .passwordChanged)
            }
        }
    }
}
