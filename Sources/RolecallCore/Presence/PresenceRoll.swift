import ModelStore
import NIOCore
import RolecallProtocol

/// The users that are present, each with the number of their sockets, over all event loops.
///
/// A pure machine: the time comes with each call, and news waits until it is taken. A user has joined with the first
/// socket, and has left after a while without any; one that comes back within that while was never gone. What it holds
/// is bounded by the number of sockets, and of those that went within that while.
struct PresenceRoll {
    /// One user's presence, as it is sent.
    struct News: Equatable, Sendable {
        var user: UserSummary
        var sockets: Int
        var hasLeft: Bool
    }

    private struct Entry {
        var user: UserSummary
        /// With what the user was read: an older reading does not undo a newer one.
        var readAt: IdentityCursor
        var sockets: Int
        /// When the user will have left; nil while there is a socket.
        var leavesAt: NIODeadline?
    }

    /// How long a user without a socket is still present.
    let linger: TimeAmount
    private var entries: [Int64: Entry] = [:]
    /// Users without a socket, the first to leave in front. One that came back since is skipped.
    private var leaving = CircularBuffer<(user: Int64, at: NIODeadline)>()
    /// The users with news, in the order in which it came up; and the last record of those that have left.
    private var pending: [Int64] = []
    private var pendingUsers: Set<Int64> = []
    private var left: [Int64: UserSummary] = [:]

    init(linger: TimeAmount) {
        self.linger = linger
    }

    var count: Int { entries.count }
    var hasNews: Bool { !pending.isEmpty }
    /// When ``expire(now:)`` is due; nil while every present user has a socket.
    var nextDeadline: NIODeadline? { leaving.first?.at }

    /// A socket has come to belong to this user.
    mutating func arrived(_ user: UserSummary, readAt: IdentityCursor) {
        guard var entry = entries[user.id] else {
            entries[user.id] = Entry(user: user, readAt: readAt, sockets: 1)
            return note(user.id)
        }
        entry.sockets += 1
        entry.leavesAt = nil
        entries[user.id] = entry
        changed(user, readAt: readAt)
    }

    /// One of this user's sockets belongs to the user no more.
    mutating func departed(_ id: Int64, now: NIODeadline) {
        guard var entry = entries[id], entry.sockets > 0 else { return }
        entry.sockets -= 1
        if entry.sockets == 0 {
            let moment = now + linger
            entry.leavesAt = moment
            leaving.append((user: id, at: moment))
        }
        entries[id] = entry
    }

    /// A present user has another name, or another role.
    mutating func changed(_ user: UserSummary, readAt: IdentityCursor) {
        guard var entry = entries[user.id],
            readAt.era != entry.readAt.era || readAt.covers(entry.readAt)
        else { return }
        let isNews = entry.user != user
        entry.user = user
        entry.readAt = readAt
        entries[user.id] = entry
        if isNews { note(user.id) }
    }

    /// Lets users leave whose time is up.
    mutating func expire(now: NIODeadline) {
        while let next = leaving.first, next.at <= now {
            leaving.removeFirst()
            guard let entry = entries[next.user], entry.leavesAt == next.at else { continue }
            entries[next.user] = nil
            left[next.user] = entry.user
            note(next.user)
        }
    }

    /// The news, once: the last of each user.
    mutating func takeNews() -> [News] {
        defer {
            pending = []
            pendingUsers = []
            left = [:]
        }
        return pending.compactMap { id in
            if let entry = entries[id] { return News(user: entry.user, sockets: entry.sockets, hasLeft: false) }
            return left[id].map { News(user: $0, sockets: 0, hasLeft: true) }
        }
    }

    /// Every present user, by id.
    var snapshot: [News] {
        entries.values.map { News(user: $0.user, sockets: $0.sockets, hasLeft: false) }
            .sorted { $0.user.id < $1.user.id }
    }

    private mutating func note(_ id: Int64) {
        if pendingUsers.insert(id).inserted { pending.append(id) }
    }
}
