public import EngineIO
import Logging
public import WireJSON

extension SocketNamespace: SocketIOHandler {
    public func admit(_ request: HandshakeRequest) throws(EngineError) {
        do {
            for judge in requestJudges { try judge(request) }
        } catch {
            throw error as? EngineError ?? .forbidden
        }
    }

    public func connect(_ socket: Socket, auth: JSON?) async throws(ConnectRefusal) {
        do {
            for middleware in middleware { try await middleware(socket, auth) }
            guard await socket.onLoop({ $0.accept() }) else { return }
            for handler in connectHandlers { try await handler(socket) }
        } catch let refusal as ConnectRefusal {
            throw refusal
        } catch {
            if !Task.isCancelled {
                socket.logger.error("a socket could not be connected", metadata: ["error": .string("\(error)")])
            }
            throw ConnectRefusal(message: "The connection could not be set up.")
        }
    }

    public func received(_ event: SocketEvent, on socket: Socket) async -> SocketAcknowledgement {
        do {
            return try await handle(event, on: socket, behind: 0)
        } catch let refusal as EventRefusal {
            return refusal.acknowledgement
        } catch {
            return errorHandler(error, event, socket)
        }
    }

    /// - Parameter count: how much of the middleware is in front already.
    private func handle(
        _ event: SocketEvent, on socket: Socket, behind count: Int
    ) async throws -> SocketAcknowledgement {
        guard count < eventMiddleware.count else {
            return try await (eventHandlers[event.name] ?? unknownEventHandler)(event, socket)
        }
        return try await eventMiddleware[count](event, socket) { event in
            try await handle(event, on: socket, behind: count + 1)
        }
    }

    public func disconnected(_ socket: Socket, reason: DisconnectReason) {
        for handler in disconnectHandlers { handler(socket, reason) }
    }

    public func notice(of lost: LostEvents, to socket: Socket) -> (name: String, arguments: [JSON])? {
        lossHandler(lost, socket)
    }

    // MARK: What is done unless told otherwise

    static let refuseUnknown: EventHandler = { event, _ in
        [
            [
                "error": "unknown_event",
                "message": .string("This server knows no event \"\(event.name.prefix(64))\"."),
            ]
        ]
    }

    static let logError: @Sendable (any Error, SocketEvent, Socket) -> SocketAcknowledgement = { error, event, socket in
        // The end of its socket makes many a handler throw.
        let level: Logger.Level = Task.isCancelled ? .debug : .error
        socket.logger.log(
            level: level, "an event could not be handled",
            metadata: ["event": .string(String(event.name.prefix(64))), "error": .string("\(error)")])
        return [["error": "internal_error", "message": "The server could not handle the event."]]
    }
}
