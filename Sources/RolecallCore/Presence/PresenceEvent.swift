import ModelStore
import RolecallProtocol
import SocketIOServer
import WireJSON

/// `presence`: a user has joined, or left; with those columns of the user that the receiver may see.
struct PresenceEvent: Equatable {
    static let name = "presence"

    var news: PresenceRoll.News
    /// The columns of users that the receiver may see.
    var columns: Set<String>

    var json: JSON {
        var user: JSONObject = ["_id": .integer(news.user.id)]
        if columns.contains("name") { user["name"] = .string(news.user.name) }
        if columns.contains("role") { user["role"] = .string(news.user.role) }
        return [
            "user": .object(user), "sockets": .integer(Int64(news.sockets)),
            "state": news.hasLeft ? "left" : "joined",
        ]
    }

    /// - Parameter sequence: how far the log has been delivered on the receiver's loop, which this comes behind.
    func encoded(after sequence: Int64) -> OutboundEvent {
        OutboundEvent(
            Self.name, [json], number: sequence,
            // No row has such a key.
            folding: .init(key: "\u{0}presence/\(news.user.id)", digest: Digest(), order: .outside))
    }

    /// The last word on a user needs none before it.
    private struct Digest: EventDigest {
        func followed(by newer: any EventDigest) -> any EventDigest { newer }
        func amend(_ arguments: [JSON], standingFor _: Int, within _: FoldedSpan?) -> [JSON] { arguments }
    }
}

extension Policy {
    /// Whether receivers with this view are sent presence: they have to see every user, with the name.
    func showsPresence(to view: View) -> Bool { showsAuthors(to: view) }

    /// The columns of a present user that a rank is sent.
    func presenceColumns(atRank rank: Int) -> Set<String> {
        let view = View(rank: rank, owner: nil)
        return Set(["name", "role"].filter { mayRead(column: $0, of: ModelName.user, view: view) })
    }
}

extension Room {
    /// The sockets of a rank that are sent presence.
    static func presence(rank: Int) -> Room { Room("presence:\(rank)") }
}
