import EngineIO
import Logging
import ModelStore
import RolecallCore
import RolecallProtocol
import SocketIOServer
import WireJSON

/// The sockets' door to the domain: payloads in, acknowledgements out.
struct SocketApplication: SocketIOHandler {
    let association: Association
    let signIns: SocketSignIns
    let subscriptions: Subscriptions
    let rows: RowService
    let origins: OriginPolicy
    /// Names the events that were dropped for a slow socket.
    let gap: @Sendable (LostEvents, Socket) -> Gap
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
        let opened = PresentedToken.find(headers: session.headers.pairs)?.token
        let brought = PresentedToken.find(headers: request.headers.pairs)?.token
        guard signIns.mayContinue(sockets, with: brought, opened: opened) else {
            logger.notice(
                "refused a request with other credentials than its session's",
                metadata: ["address": .string(request.address)])
            throw .forbidden
        }
    }

    func connect(_ socket: Socket, auth: JSON?) async throws(ConnectRefusal) {
        do throws(DomainError) {
            try await signIns.connect(
                socket, presenting: PresentedToken.find(auth: auth, headers: socket.request.headers.pairs),
                resuming: ResumptionRequest.find(in: auth))
        } catch {
            error.log("a connect failed", to: socket.logger, [:])
            throw ConnectRefusal(message: error.answer.message)
        }
    }

    func disconnected(_ socket: Socket, reason: DisconnectReason) {
        association.forget(socket)
        logger.debug(
            "disconnected", metadata: ["socket": .string(socket.id), "reason": .string(reason.rawValue)])
    }

    func notice(of lost: LostEvents, to socket: Socket) -> (name: String, arguments: [JSON])? {
        (Gap.eventName, [gap(lost, socket).json])
    }

    // MARK: Events

    func received(_ event: SocketEvent, on socket: Socket) async -> SocketAcknowledgement {
        do throws(DomainError) {
            return [try await answer(event, on: socket)]
        } catch {
            error.log("an event failed", to: socket.logger, ["event": .string(String(event.name.prefix(64)))])
            return [Acknowledgement.refused(error.answer).json]
        }
    }

    private func answer(_ event: SocketEvent, on socket: Socket) async throws(DomainError) -> JSON {
        switch event.name {
        case ClientEvent.login: try await login(event.arguments, on: socket).json
        case ClientEvent.logout: await logout(socket).json
        case ClientEvent.whoami: await whoami(socket)
        case ClientEvent.message: try await message(event.arguments, on: socket).json
        case ClientEvent.subscribe: try await subscribe(event.arguments, on: socket).json
        case ClientEvent.unsubscribe: try await unsubscribe(event.arguments, on: socket).json
        case ClientEvent.join: try await join(event.arguments, on: socket).json
        case ClientEvent.leave: try await leave(event.arguments, on: socket).json
        default:
            Acknowledgement.refused(
                WireError(.unknownEvent, "This server knows no event \"\(event.name.prefix(64))\".")
            ).json
        }
    }

    private func login(_ arguments: [JSON], on socket: Socket) async throws(DomainError) -> Acknowledgement {
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
        try await signIns.login(socket, with: token)
        return .registered
    }

    private func logout(_ socket: Socket) async -> Acknowledgement {
        await socket.onLoop { association.disassociate($0, reason: .logout) }
        return .unregistered
    }

    private func whoami(_ socket: Socket) async -> JSON {
        await socket.onLoop { association.describe($0)?.json ?? .null }
    }

    private func message(_ arguments: [JSON], on socket: Socket) async throws(DomainError) -> Acknowledgement {
        guard let payload = arguments.first, payload.objectValue != nil else {
            throw .invalidPayload("message takes an object: {room?, body}.")
        }
        var fields: JSONObject = ["body": payload["body"] ?? .null]
        if let room = payload["room"], !room.isNull { fields["room"] = room }
        // The author is the socket's user at this moment; whatever the payload claims is not even read.
        guard let principal = await socket.onLoop({ $0.identity?.principal }) else {
            throw .forbidden("Log in first: a message needs an author.")
        }
        let created = try await rows.create(ModelName.message, .object(fields), as: Claimant(principal))
        return .sent(id: created.value["_id"]?.json ?? .null, position: created.position)
    }
}

extension ResumptionRequest {
    /// - Parameter auth: the payload of a socket's CONNECT.
    /// - Returns: nil where nothing is asked for.
    static func find(in auth: JSON?) -> ResumptionRequest? {
        if let after = auth?["after"], !after.isNull {
            return ResumptionRequest(asked: after.stringValue ?? "", way: .position)
        }
        // Without an offset it was never sent an event.
        guard let ticket = auth?["pid"]?.stringValue, let offset = auth?["offset"]?.stringValue else { return nil }
        return ResumptionRequest(asked: offset, way: .ticket(ticket))
    }
}
