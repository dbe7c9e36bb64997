import ModelStore
import RolecallProtocol
import SocketIOServer

/// Where the feed can't say what has changed (a new era, or a reader that was away too long), each identity is read anew.
extension IdentityFeed {
    /// How long that may take, and the pause after a reading that failed. Sockets whose records can't be read by then are
    /// let go: their clients come back, and their tokens are judged when the records can be read.
    private static let patience = Duration.seconds(5)
    private static let pause = Duration.milliseconds(100)

    func reassess(_ hub: SocketHub) async {
        let deadline = ContinuousClock.now + Self.patience
        let sockets = await server.sockets(in: nil).filter { $0.hub === hub }
        guard let first = sockets.first else { return }
        let claims = await first.onLoop { _ in Set(sockets.compactMap(Self.claim)) }
        for claim in claims {
            let finding = await finding(of: claim, by: deadline)
            await first.onLoop { _ in
                for socket in sockets where Self.claim(socket) == claim { reassess(socket, claim, by: finding) }
            }
        }
    }

    private enum Finding: Sendable {
        case record(ClaimantRecord)
        case unknownUser
        case unreadable
    }

    private static func claim(_ socket: Socket) -> Claim? { socket.identity?.principal.map { Claimant($0).claim } }

    private func finding(of claim: Claim, by deadline: ContinuousClock.Instant) async -> Finding {
        while ContinuousClock.now < deadline {
            do {
                let record = try await store.claimant(
                    user: claim.user, session: claim.session, deadline: .at(deadline))
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
        case .unreadable: socket.disconnect(close: true)
        case .record(let record):
            // It has logged in again meanwhile, with a newer reading.
            guard socket.identity?.principal?.readAt.covers(record.readAt) != true else { return }
            do throws(ClaimRefusal) {
                try record.confirm(claim)
                association.update(socket, to: record)
            } catch {
                association.disassociate(socket, reason: error == .sessionEnded ? .signedOut : .passwordChanged)
            }
        }
    }
}
