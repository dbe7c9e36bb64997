import EngineIO
import Logging
import ModelStore
import RolecallProtocol
import SocketIOServer
import WireJSON

/// What Rolecall does with its sockets: who they are, and what they may say.
struct SocketApplication: SocketIOHandler {
    let association: Association
    let authenticator: Authenticator
    let origins: OriginPolicy
    let models: ModelService
    let replay: Replay
    let tickets: RecoveryTicket
    let logger: Logger

    // MARK: Connecting

    func admit(_ request: HandshakeRequest) throws(EngineError) {
        if let refusal = origins.refusal(ofHandshake: request.headers.pairs) {
            logger.notice(
                "refused a handshake",
                metadata: ["address": .string(request.address), "reason": .string(refusal.message)])
            throw .forbidden
        }
    }

    /// A session id alone opens nothing: what comes later under it has to bring the credentials that the session was
    /// opened with, or others of the same user.
    func admit(
        _ request: HandshakeRequest, to session: HandshakeRequest, sockets: [Socket]
    ) throws(EngineError) {
        let users = Set(sockets.compactMap { association.identity(of: $0)?.principal?.user.id })
        // Who is nobody has nothing that others may not see.
        guard !users.isEmpty else { return }
        let opened = PresentedToken.find(headers: session.headers.pairs)?.token
        let brought = PresentedToken.find(headers: request.headers.pairs)?.token
        guard opened != brought else { return }
        // The cookie may have changed meanwhile, by a new login; one that is not known can't be told from a stranger's,
        // and its client comes back with a session of its own.
        guard let brought, let user = authenticator.tokens.knownUser(of: brought), users == [user] else {
            logger.notice(
                "refused a request with other credentials than its session's",
                metadata: ["address": .string(request.address)])
            throw .forbidden
        }
    }

    func connect(_ socket: Socket, auth: JSON?) async throws(ConnectRefusal) {
        let resumption = try await resumption(auth)
        var settled: Resumed?
        var reason = IdentityReason.anonymous
        if let presented = PresentedToken.find(auth: auth, headers: socket.request.headers.pairs) {
            let outcome = await associate(socket, with: presented.token, reason: presented.source, resumption)
            switch outcome {
            case .associated(let resumed): settled = resumed
            case .refused(let refusal) where refusal.code == .unavailable:
                throw ConnectRefusal(message: refusal.message)
            // A bad token at the handshake leaves an anonymous socket that can log in.
            case .refused(let refusal): reason = IdentityReason(rawValue: refusal.code.rawValue)
            }
        }
        if settled == nil {
            let anonymous = reason
            settled = await socket.onLoop { socket in
                let resumed = Resumed(resumption, of: nil, tickets: tickets)
                guard association.identity(of: socket) == nil, socket.accept(recovery: resumed.ticket) else {
                    return nil
                }
                association.disassociate(socket, reason: anonymous, resumingAfter: resumed.position)
                association.settle(socket, resumed)
                return resumed
            }
        }
        if let settled { await tellMissed(settled, to: socket) }
    }

    private func resumption(_ auth: JSON?) async throws(ConnectRefusal) -> Resumption? {
        guard let (asked, way) = Resumption.find(in: auth) else { return nil }
        do {
            return Resumption(asked: asked, way: way, start: try await replay.start(after: asked))
        } catch {
            throw ConnectRefusal(message: "The log can't be read at the moment; try again.")
        }
    }

    private func tellMissed(_ resumed: Resumed, to socket: Socket) async {
        if let position = resumed.position {
            do {
                try await replay.run(on: socket, from: position)
            } catch {
                // Half told is worse than not connected: the client comes back and asks again.
                logger.error("a replay failed", metadata: ["error": .string("\(error)")])
                await socket.onLoop { $0.disconnect(close: true) }
            }
        } else if let gap = resumed.gap {
            await socket.onLoop { socket in
                let position = Position(
                    log: association.logID, sequence: association.delivery(of: socket).watermark)
                socket.emit(Gap.eventName, [Gap(after: gap.asked, before: position, reason: gap.reason).json])
            }
        }
    }

    func disconnected(_ socket: Socket, reason: DisconnectReason) {
        association.forget(socket)
        logger.debug(
            "disconnected", metadata: ["socket": .string(socket.id), "reason": .string(reason.rawValue)])
    }

    func notice(of lost: LostEvents, to socket: Socket) -> (name: String, arguments: [JSON])? {
        if let identity = association.identity(of: socket) {
            association.presence.lostEvents(socket, identity, association)
        }
        return (Gap.eventName, [association.gap(lost, reason: .overflow).json])
    }

    // MARK: Events

    func received(_ event: SocketEvent, on socket: Socket) async -> SocketAcknowledgement {
        switch event.name {
        case ClientEvent.login: await [login(event.arguments, on: socket).json]
        case ClientEvent.logout: await [logout(socket).json]
        case ClientEvent.whoami: await [whoami(socket)]
        case ClientEvent.message: await [message(event.arguments, on: socket).json]
        case ClientEvent.subscribe: await [subscribe(event.arguments, on: socket).json]
        case ClientEvent.unsubscribe: await [unsubscribe(event.arguments, on: socket).json]
        case ClientEvent.join: await [join(event.arguments, on: socket).json]
        case ClientEvent.leave: await [leave(event.arguments, on: socket).json]
        default:
            [
                Acknowledgement.refused(
                    WireError(.unknownEvent, "This server knows no event \"\(event.name.prefix(64))\".")
                ).json
            ]
        }
    }

    private func login(_ arguments: [JSON], on socket: Socket) async -> Acknowledgement {
        let token: String
        switch arguments.first {
        case .string(let text):
            token = text
        case nil, .null:
            guard let cookie = Cookies.token(in: socket.request.headers.pairs) else {
                return .refused(
                    WireError(.tokenInvalid, "Send a token, or connect with one in the cookie \"\(Cookies.name)\"."))
            }
            token = cookie
        default:
            return .refused(WireError(.tokenInvalid, "login takes a token as a string, or nothing."))
        }
        switch await associate(socket, with: token, reason: .login) {
        case .associated: return .registered
        case .refused(let error): return .refused(error)
        }
    }

    private func logout(_ socket: Socket) async -> Acknowledgement {
        await socket.onLoop { association.disassociate($0, reason: .logout) }
        return .unregistered
    }

    private func whoami(_ socket: Socket) async -> JSON {
        await socket.onLoop { association.describe($0)?.json ?? .null }
    }

    private func message(_ arguments: [JSON], on socket: Socket) async -> Acknowledgement {
        guard let payload = arguments.first, payload.objectValue != nil else {
            return .refused(WireError(.invalidPayload, "message takes an object: {room?, body}."))
        }
        var fields: JSONObject = ["body": payload["body"] ?? .null]
        if let room = payload["room"], !room.isNull { fields["room"] = room }
        // Who writes is what the socket is at this moment; whatever the payload claims is not even read.
        guard let principal = await socket.onLoop({ association.identity(of: $0)?.principal }) else {
            return .refused(WireError(.forbidden, "Log in first: a message needs an author."))
        }
        do throws(RequestFailure) {
            let created = try await models.create(
                ModelName.message, .object(fields), as: Claimant(principal))
            return .sent(id: created.value["_id"]?.json ?? .null, position: created.position)
        } catch {
            return .refused(error.error)
        }
    }

    // MARK: The one way in

    private enum Outcome {
        case associated(Resumed?)
        /// The token is not good; the socket is what it was.
        case refused(WireError)
    }

    /// Judges a token and ties the socket to its user. Where the log overtakes the judgement, it is made anew.
    private func associate(
        _ socket: Socket, with token: String, reason: IdentityReason, _ resumption: Resumption? = nil
    ) async -> Outcome {
        while true {
            let principal: Principal
            do throws(WireError) {
                principal = try await authenticator.principal(of: token)
            } catch {
                return .refused(error)
            }
            let outcome: Outcome? = await socket.onLoop { socket in
                // Before the client is answered: what it is told of its ticket must hold.
                guard !association.delivery(of: socket).knowsBetter(than: principal) else { return nil }
                let resumed = Resumed(resumption, of: principal.user, tickets: tickets)
                guard socket.accept(recovery: resumed.ticket) else { return .associated(nil) }
                guard
                    association.associate(
                        socket, with: principal, reason: reason, resumingAfter: resumed.position)
                else { return nil }
                if reason != .login { association.settle(socket, resumed) }
                return .associated(resumed)
            }
            if let outcome { return outcome }
        }
    }
}
