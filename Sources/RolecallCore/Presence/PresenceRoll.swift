import NIOCore
import RolecallProtocol

/// Who is on: users, each with the number of his sockets, over all event loops.
///
/// A plain machine: it is told the time, and what it has to say waits until it is asked. A user has joined with his
/// first socket, and has left when he has had none for a while; who comes back in between was never gone. What it holds
/// is bounded by the number of sockets, and of those that went within that while.
struct PresenceRoll {
    /// What there is to say of a user.
    struct News: Equatable, Sendable {
        var user: UserSummary
        var sockets: Int
        var hasLeft: Bool
    }

    private struct Entry {
        var user: UserSummary
        /// Where the log stood when the user was read: an older reading does not undo a newer one.
        var readAt: Int64
        var sockets: Int
        /// When he will have left; nil as long as he has a socket.
        var leavesAt: NIODeadline?
    }

    /// How long a user without a socket is still on.
    let linger: TimeAmount
    private var entries: [Int64: Entry] = [:]
    /// Those without a socket, the first to leave in front. Who came back since is passed over.
    private var leaving = CircularBuffer<(user: Int64, at: NIODeadline)>()
    /// Whom there is something to say of, in the order in which it came up, and as whom the others last knew those who
    /// have left.
    private var untold: [Int64] = []
    private var untoldUsers: Set<Int64> = []
    private var left: [Int64: UserSummary] = [:]

    init(linger: TimeAmount) {
        self.linger = linger
    }

    var count: Int { entries.count }
    var hasNews: Bool { !untold.isEmpty }
    /// When ``expire(now:)`` is due; nil while everyone who is on has a socket.
    var nextDeadline: NIODeadline? { leaving.first?.at }

    /// A socket has come to belong to this user.
    mutating func arrived(_ user: UserSummary, readAt: Int64) {
        guard var entry = entries[user.id] else {
            entries[user.id] = Entry(user: user, readAt: readAt, sockets: 1)
            return note(user.id)
        }
        entry.sockets += 1
        entry.leavesAt = nil
        entries[user.id] = entry
        changed(user, readAt: readAt)
    }

    /// One of this user's sockets is his no more.
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

    /// A user who is on is found to have another name, or another role.
    mutating func changed(_ user: UserSummary, readAt: Int64) {
        guard var entry = entries[user.id], readAt >= entry.readAt else { return }
        let isNews = entry.user != user
        entry.user = user
        entry.readAt = readAt
        entries[user.id] = entry
        if isNews { note(user.id) }
    }

    /// Lets those leave whose time is up.
    mutating func expire(now: NIODeadline) {
        while let next = leaving.first, next.at <= now {
            leaving.removeFirst()
            guard let entry = entries[next.user], entry.leavesAt == next.at else { continue }
            entries[next.user] = nil
            left[next.user] = entry.user
            note(next.user)
        }
    }

    /// What there is to say, once: the last of each user.
    mutating func takeNews() -> [News] {
        defer {
            untold = []
            untoldUsers = []
            left = [:]
        }
        return untold.compactMap { id in
            if let entry = entries[id] { return News(user: entry.user, sockets: entry.sockets, hasLeft: false) }
            return left[id].map { News(user: $0, sockets: 0, hasLeft: true) }
        }
    }

    /// Everyone who is on, by id.
    var snapshot: [News] {
        entries.values.map { News(user: $0.user, sockets: $0.sockets, hasLeft: false) }
            .sorted { $0.user.id < $1.user.id }
    }

    private mutating func note(_ id: Int64) {
        if untoldUsers.insert(id).inserted { untold.append(id) }
    }
}
