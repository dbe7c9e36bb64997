import Logging
import ModelStore
import NIOCore
import RolecallProtocol
import SocketIOServer

/// Signs sockets in: judges the tokens that they bring, ties them to their users, and sends them what they missed.
package struct SocketSignIns: Sendable {
    let association: Association
    let authenticator: Authenticator
    let replay: Replay
    let tickets: RecoveryTicket
    let logger: Logger

    /// Accepts a socket, with the user of its token or without one, and returns once it is live.
    ///
    /// A bad token leaves an anonymous socket that can log in; its `identity` event has the reason.
    ///
    /// - Throws: ``DomainError`` where the records or the log can't be read: the socket is not accepted then.
    package func connect(
        _ socket: Socket, presenting presented: PresentedToken?, resuming request: ResumptionRequest?
    ) async throws(DomainError) {
        let resumption = try await resumption(request)
        var accepted: Resumed?
        var reason = IdentityReason.anonymous
        if let presented {
            do throws(DomainError) {
                accepted = try await associate(socket, with: presented.token, reason: presented.source, resumption)
            } catch .tokenRefused(let refusal) {
                reason = IdentityReason(rawValue: refusal.wireError.code.rawValue)
            }
        }
        if accepted == nil {
            let anonymous = reason
            accepted = await socket.onLoop { socket in
                let resumed = Resumed(resumption, of: nil, tickets: tickets)
                guard socket.identity == nil, socket.accept(recovery: resumed.ticket) else { return nil }
                association.disassociate(socket, reason: anonymous, resumingAfter: resumed.position)
                association.adopt(resumed, for: socket)
                return resumed
            }
        }
        if let accepted { await sendMissed(accepted, to: socket) }
    }

    /// Ties a connected socket to the user of a token.
    ///
    /// - Throws: ``DomainError``; the socket's identity is then as it was.
    package func login(_ socket: Socket, with token: String) async throws(DomainError) {
        _ = try await associate(socket, with: token, reason: .login, nil)
    }

    /// Whether a later request of a session may come with another token than the session's first: only with one of the
    /// very user that the session's sockets belong to.
    ///
    /// - Parameter sockets: the session's; on their loop.
    package func mayContinue(_ sockets: [Socket], with token: String?, opened: String?) -> Bool {
        let users = Set(sockets.compactMap { $0.identity?.principal?.user.id })
        // A socket without a user has nothing that others may not see.
        guard !users.isEmpty, opened != token else { return true }
        // The cookie may have changed meanwhile, by a new login; a token that is not known can't be told from a
        // stranger's, and its client comes back with a session of its own.
        guard let token, let user = authenticator.knownUser(of: token) else { return false }
        return users == [user]
    }

    // MARK: Parts

    private func resumption(_ request: ResumptionRequest?) async throws(DomainError) -> Resumption? {
        guard let request else { return nil }
        do {
            return Resumption(request: request, start: try await replay.start(after: request.asked))
        } catch is CancellationError {
            throw .cancelled
        } catch {
            throw .unavailable("The log can't be read at the moment; try again.", cause: "\(error)")
        }
    }

    /// Judges a token and ties the socket to its user. Where a change of the user overtakes the judgement, it is made
    /// anew.
    ///
    /// - Returns: nil where the socket is gone.
    private func associate(
        _ socket: Socket, with token: String, reason: IdentityReason, _ resumption: Resumption?
    ) async throws(DomainError) -> Resumed? {
        enum Outcome {
            case associated(Resumed?)
            case overtaken
        }
        let delivery = association.delivery(of: socket)
        while true {
            let principal = try await authenticator.principal(of: token)
            let outcome: Outcome = await socket.onLoop { socket in
                // Before the client is answered: what its ticket promises must hold.
                guard !delivery.hasNewerRecord(than: principal) else { return .overtaken }
                let resumed = Resumed(resumption, of: principal, tickets: tickets)
                guard socket.accept(recovery: resumed.ticket) else { return .associated(nil) }
                guard
                    association.associate(socket, with: principal, reason: reason, resumingAfter: resumed.position)
                else { return .overtaken }
                if reason != .login { association.adopt(resumed, for: socket) }
                return .associated(resumed)
            }
            if case .associated(let resumed) = outcome { return resumed }
            // A reading of an era that the loop has not come to yet would be overtaken until it has.
            await withCheckedContinuation { continuation in
                delivery.eventLoop.execute {
                    delivery.whenIdentitiesHold(IdentityMark(era: principal.readAt.era, number: 0)) {
                        continuation.resume()
                    }
                }
            }
        }
    }

    private func sendMissed(_ resumed: Resumed, to socket: Socket) async {
        if let (cursor, folding) = resumed.start {
            do {
                try await replay.run(on: socket, from: cursor, folding: folding)
            } catch {
                // Half of it is worse than none: the client comes back and asks again.
                logger.error(
                    "a replay failed", metadata: ["socket": .string(socket.id), "error": .string("\(error)")])
                await socket.onLoop { $0.disconnect(close: true) }
            }
        } else if let gap = resumed.gap {
            await socket.onLoop { socket in
                let position = association.position(of: socket)
                socket.emit(Gap.eventName, [Gap(after: gap.asked, before: position, reason: gap.reason).json])
            }
        }
    }
}
