import ModelStore
import RolecallProtocol

/// Which users and sessions have changed lately, and by which transaction: a principal that was read without that has to
/// be read again.
///
/// It is bounded. What is forgotten is made up for: a principal that was read before that has to be read again, too; one
/// that was read a moment ago never has.
struct IdentityChangeRecord {
    private static let capacity = 4096

    private var users: [Int64: IdentityMark] = [:]
    private var sessions: [String: IdentityMark] = [:]
    /// All that may have been forgotten is covered by this.
    private var forgotten: IdentityCursor

    /// - Parameter start: nothing of what it covers is known.
    init(from start: IdentityCursor) {
        forgotten = start
    }

    /// - Parameter cursor: of the reading that has brought the change.
    mutating func note(_ entry: IdentityFeedEntry, of cursor: IdentityCursor) {
        if users.count + sessions.count >= Self.capacity { forgetOlderHalf(cursor) }
        switch entry.subject {
        case .user(let id, _), .memberships(_, let id): users[id] = entry.mark
        case .sessionEnded(let id): sessions[id] = entry.mark
        }
    }

    /// Whether there is, or may be, a change that the principal's reader could not know.
    func hasNewerRecord(than principal: Principal) -> Bool {
        guard principal.readAt.covers(forgotten) else { return true }
        let marks = [users[principal.user.id], principal.session.flatMap { sessions[$0] }]
        return marks.contains { mark in mark.map { !principal.readAt.covers($0) } ?? false }
    }

    private mutating func forgetOlderHalf(_ cursor: IdentityCursor) {
        let numbers = (users.values.map(\.number) + sessions.values.map(\.number)).sorted()
        guard !numbers.isEmpty else { return }
        let middle = numbers[numbers.count / 2]
        forgotten = cursor
        users = users.filter { $0.value.number > middle }
        sessions = sessions.filter { $0.value.number > middle }
    }
}
