import ModelStore
import RolecallProtocol
import SocketIOServer
import WireJSON

/// What a socket says of the events that it wants.
extension SocketApplication {
    func subscribe(_ arguments: [JSON], on socket: Socket) async -> Acknowledgement {
        await change(arguments, on: socket) { interest, names in
            if let names { interest.subscribe(to: names) } else { interest.subscribeToAll() }
        }
    }

    func unsubscribe(_ arguments: [JSON], on socket: Socket) async -> Acknowledgement {
        await change(arguments, on: socket) { interest, names in
            if let names { interest.unsubscribe(from: names) } else { interest.unsubscribeFromAll() }
        }
    }

    func join(_ arguments: [JSON], on socket: Socket) async -> Acknowledgement {
        guard let room = Self.room(arguments) else { return Self.noRoom("join") }
        let joined: (view: View, was: Interest)? = await socket.onLoop { socket in
            guard let identity = association.identity(of: socket),
                models.mayRead(room: room, view: identity.view)
            else { return nil }
            let was = identity.interest
            var interest = was
            interest.join(room)
            association.setInterest(of: socket, to: interest)
            return (identity.view, was)
        }
        guard let joined else {
            return .refused(WireError(.forbidden, "You may not see the room \"\(room.prefix(64))\"."))
        }
        // Live first, then what was: what is said in between comes twice, with the same _id, rather than never.
        do throws(RequestFailure) {
            let history = try await models.history(of: room, to: joined.view)
            return .joined(room: room, history: history.value.map(\.json), position: history.position)
        } catch {
            return .refused(error.error)
        }
    }

    func leave(_ arguments: [JSON], on socket: Socket) async -> Acknowledgement {
        guard let room = Self.room(arguments) else { return Self.noRoom("leave") }
        let hasLeft = await socket.onLoop { socket in
            guard var interest = association.identity(of: socket)?.interest, interest.leave(room) else { return false }
            association.setInterest(of: socket, to: interest)
            return true
        }
        guard hasLeft else {
            return .refused(
                WireError(
                    .forbidden, "A socket can have left \(Interest.maximumRooms) rooms, and no more: unsubscribe."))
        }
        return .left(room: room)
    }

    // MARK: Parts

    private func change(
        _ arguments: [JSON], on socket: Socket,
        _ body: @escaping @Sendable (inout Interest, _ names: Set<String>?) -> Void
    ) async -> Acknowledgement {
        let names: Set<String>?
        do throws(WireError) {
            names = try Self.models(arguments)
        } catch {
            return .refused(error)
        }
        return await socket.onLoop { socket in
            guard let identity = association.identity(of: socket) else {
                return .refused(WireError(.unavailable, "The socket is not connected."))
            }
            let visible = association.policy.visibleModels(to: identity.view)
            // One that he may not see and one that is not there are the same to him.
            if let unknown = (names ?? []).sorted().first(where: { !visible.contains($0) }) {
                return .refused(
                    WireError(
                        .notFound,
                        "There is no model \"\(unknown.prefix(64))\" for you; there are \(visible.joined(separator: ", "))."
                    ))
            }
            var interest = identity.interest
            body(&interest, names)
            guard let position = association.setInterest(of: socket, to: interest) else {
                return .refused(WireError(.unavailable, "The socket is not connected."))
            }
            return .subscribed(visible.filter(interest.includes(model:)), position: position)
        }
    }

    /// Nil for all.
    private static func models(_ arguments: [JSON]) throws(WireError) -> Set<String>? {
        switch arguments.first {
        case nil, .null: return nil
        case .string(let name): return [name]
        case .array(let names):
            let texts = names.compactMap(\.stringValue)
            guard texts.count == names.count else { break }
            return Set(texts)
        default: break
        }
        throw WireError(.invalidPayload, "It takes a list of models' names, or nothing for all of them.")
    }

    /// Nil for a name that is none, or so long that nobody means it.
    private static func room(_ arguments: [JSON]) -> String? {
        let name = arguments.first?.stringValue ?? arguments.first?["room"]?.stringValue
        return name.flatMap { $0.utf8.count <= longestName ? $0 : nil }
    }

    /// Of rooms, in bytes: what a socket has left is kept for it.
    private static let longestName = 256

    private static func noRoom(_ event: String) -> Acknowledgement {
        .refused(WireError(.invalidPayload, "\(event) takes a room's name, of \(longestName) bytes at most."))
    }
}
