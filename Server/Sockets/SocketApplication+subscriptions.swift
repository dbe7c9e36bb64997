import ModelStore
import RolecallCore
import RolecallProtocol
import SocketIOServer
import WireJSON

/// What a socket says of the events that it wants.
extension SocketApplication {
    /// Of rooms, in bytes: a room that a socket has left is kept with the socket.
    private static let longestName = 256

    func subscribe(_ arguments: [JSON], on socket: Socket) async throws(DomainError) -> Acknowledgement {
        let state = try await subscriptions.subscribe(socket, to: try Self.models(arguments))
        return .subscribed(state.models, position: state.position)
    }

    func unsubscribe(_ arguments: [JSON], on socket: Socket) async throws(DomainError) -> Acknowledgement {
        let state = try await subscriptions.unsubscribe(socket, from: try Self.models(arguments))
        return .subscribed(state.models, position: state.position)
    }

    func join(_ arguments: [JSON], on socket: Socket) async throws(DomainError) -> Acknowledgement {
        let room = try Self.room(arguments, of: "join")
        let history = try await subscriptions.join(socket, room)
        return .joined(room: room, history: history.messages.map(\.json), position: history.position)
    }

    func leave(_ arguments: [JSON], on socket: Socket) async throws(DomainError) -> Acknowledgement {
        let room = try Self.room(arguments, of: "leave")
        try await subscriptions.leave(socket, room)
        return .left(room: room)
    }

    /// Nil for all.
    private static func models(_ arguments: [JSON]) throws(DomainError) -> Set<String>? {
        switch arguments.first {
        case nil, .null: return nil
        case .string(let name): return [name]
        case .array(let names):
            let texts = names.compactMap(\.stringValue)
            guard texts.count == names.count else { break }
            return Set(texts)
        default: break
        }
        throw .invalidPayload("It takes a list of models' names, or nothing for all of them.")
    }

    private static func room(_ arguments: [JSON], of event: String) throws(DomainError) -> String {
        let name = arguments.first?.stringValue ?? arguments.first?["room"]?.stringValue
        guard let name, name.utf8.count <= longestName else {
            throw .invalidPayload("\(event) takes a room's name, of \(longestName) bytes at most.")
        }
        return name
    }
}
