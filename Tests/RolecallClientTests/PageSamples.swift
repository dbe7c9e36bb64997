import RolecallProtocol
import WireJSON

@testable import RolecallClient

/// A session as a server lists it.
func session(
    _ id: JSON, current: Bool = false, agent: JSON = "rolecall/0.1.0 (Linux)", address: String = "127.0.0.1",
    sockets: [String] = []
) -> JSON {
    [
        "_id": id, "createdAt": "2026-11-22T12:00:00.000Z", "expiresAt": "2026-11-22T18:00:00.000Z",
        "lastUsedAt": "2026-11-22T12:57:00.000Z", "address": .string(address), "agent": agent,
        "current": .bool(current),
        "sockets": .array(
            sockets.map { id in
                [
                    "id": .string(id), "address": "127.0.0.1:5000", "transport": "websocket",
                    "connectedAt": "2026-11-22T12:55:00.000Z",
                ]
            }),
    ]
}

/// A socket as a server lists it.
func socket(
    _ id: String, _ user: UserSummary?, address: String = "127.0.0.1:5000", queued: Int64 = 0
) -> JSON {
    [
        "id": .string(id), "user": user?.json ?? .null, "role": .string(user?.role ?? "guest"),
        "address": .string(address), "transport": "websocket", "session": user == nil ? .null : "s1", "epoch": 1,
        "connectedAt": "2026-11-22T12:55:00.000Z", "queuedBytes": .integer(queued),
    ]
}

/// A presence as a server tells it.
func presence(_ user: UserSummary, sockets: Int64 = 1, state: String = "joined") -> JSON {
    [
        "user": ["_id": .integer(user.id), "name": .string(user.name), "role": .string(user.role)],
        "sockets": .integer(sockets), "state": .string(state),
    ]
}

/// The answer to `/join ops`, where one message was said.
let joinedOps = Notice.answer(
    command: RequestName.join,
    Acknowledgement.joined(
        room: "ops",
        history: [
            [
                "_id": 50, "room": "ops", "body": "all quiet", "author": 7, "name": "Max",
                "at": "2026-11-22T12:00:00.000Z",
            ]
        ], position: position(9)
    ).json)

extension Stage {
    /// Answers the question of the page that is open.
    mutating func answer(sessions: [JSON]) {
        let records = sessions.compactMap(UserSession.init)
        act(.outcome(.sessions(records, generation: state.generation)))
    }

    mutating func answer(sockets: [JSON]) {
        let records = sockets.compactMap(SocketRecord.init)
        act(.outcome(.sockets(records, generation: state.generation)))
    }

    mutating func tell(presence json: JSON...) {
        for case let presence? in json.map(Presence.init) { tell(.presence(presence)) }
    }
}
