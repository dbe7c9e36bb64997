import ModelStore
import RolecallProtocol
import SocketIOServer

/// What a socket says of the events that it wants: models to subscribe to, rooms to join.
package struct Subscriptions: Sendable {
    /// The models whose events the socket is sent from a position on.
    package struct State: Sendable {
        package var models: [String]
        package var position: Position
    }

    let association: Association
    let rows: RowService

    /// - Parameter names: of models; nil for all.
    /// - Throws: ``DomainError/notFound(_:field:)`` for a model that there is not, or that the socket may not see.
    package func subscribe(_ socket: Socket, to names: Set<String>?) async throws(DomainError) -> State {
        try await change(socket, names) { interest in
            if let names { interest.subscribe(to: names) } else { interest.subscribeToAll() }
        }
    }

    /// - Parameter names: of models; nil for all.
    /// - Throws: as ``subscribe(_:to:)``.
    package func unsubscribe(_ socket: Socket, from names: Set<String>?) async throws(DomainError) -> State {
        try await change(socket, names) { interest in
            if let names { interest.unsubscribe(from: names) } else { interest.unsubscribeFromAll() }
        }
    }

    /// Joins a room that was left.
    ///
    /// - Returns: its last messages, the oldest first, as they stood at the position.
    /// - Throws: ``DomainError/forbidden(_:field:)`` for a room that the socket may not see.
    package func join(
        _ socket: Socket, _ room: String
    ) async throws(DomainError) -> (messages: [Row], position: Position) {
        while true {
            let joined: (view: View, epoch: Int64)? = await socket.onLoop { socket in
                guard let identity = socket.identity, rows.mayRead(room: room, view: identity.view) else { return nil }
                var interest = identity.interest
                interest.join(room)
                association.setInterest(of: socket, to: interest)
                return (identity.view, identity.epoch)
            }
            guard let joined else { throw .forbidden("You may not see the room \"\(room.prefix(64))\".") }
            // Live first, then what was: what is said in between comes twice, with the same _id, rather than never.
            let history = try await rows.history(of: room, to: joined.view)
            // Another identity meanwhile may see less.
            guard await socket.onLoop({ $0.identity?.epoch ?? joined.epoch == joined.epoch }) else { continue }
            return try Self.positioned(history)
        }
    }

    private static func positioned(
        _ history: Reading<[Row]>
    ) throws(DomainError) -> (messages: [Row], position: Position) {
        guard let position = history.position else { throw .failed(cause: "a positioned reading has no position") }
        return (history.value, position)
    }

    /// Leaves a room: its messages are not sent any more.
    ///
    /// - Throws: ``DomainError/forbidden(_:field:)`` where the socket has left too many.
    package func leave(_ socket: Socket, _ room: String) async throws(DomainError) {
        let hasLeft = await socket.onLoop { socket in
            guard var interest = socket.identity?.interest, interest.leave(room) else { return false }
            association.setInterest(of: socket, to: interest)
            return true
        }
        guard hasLeft else {
            throw .forbidden("A socket can have left \(Interest.maximumRooms) rooms, and no more: unsubscribe.")
        }
    }

    private func change(
        _ socket: Socket, _ names: Set<String>?, _ body: @escaping @Sendable (inout Interest) -> Void
    ) async throws(DomainError) -> State {
        let outcome: Result<State, DomainError> = await socket.onLoop { socket in
            guard let identity = socket.identity else { return .failure(.notConnected) }
            let visible = association.policy.visibleModels(to: identity.view)
            // A model that the socket may not see and one that there is not are answered alike.
            if let unknown = (names ?? []).sorted().first(where: { !visible.contains($0) }) {
                return .failure(
                    .notFound(
                        "There is no model \"\(unknown.prefix(64))\" for you; there are \(visible.joined(separator: ", "))."
                    ))
            }
            var interest = identity.interest
            body(&interest)
            guard let position = association.setInterest(of: socket, to: interest) else {
                return .failure(.notConnected)
            }
            return .success(State(models: visible.filter(interest.includes(model:)), position: position))
        }
        return try outcome.get()
    }
}

extension DomainError {
    fileprivate static let notConnected = DomainError.unavailable("The socket is not connected.")
}
