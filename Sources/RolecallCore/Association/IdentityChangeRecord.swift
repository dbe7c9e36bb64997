import ModelStore
import RolecallProtocol

/// Which users and sessions have changed lately, and by which transaction: a principal that was read without that has to
/// be read again.
///
/// It is bounded. What is forgotten is made up for: a principal that was read so long ago that something newer may have
/// been forgotten has to be read again, too; one that was read a moment ago never has.
struct IdentityChangeRecord {
    private static let capacity = 4096

    /// What it has noted is of this one.
    private let era: Era
    private var users: [Int64: IdentityMark] = [:]
    private var sessions: [String: IdentityMark] = [:]
    /// No change with a higher number has been forgotten.
    private var forgotten: Int64 = 0

    init(era: Era) {
        self.era = era
    }

    mutating func note(_ entry: IdentityFeedEntry) {
        if users.count + sessions.count >= Self.capacity { forgetOlderHalf() }
        switch entry.subject {
        case .user(let id, _), .memberships(let id): users[id] = entry.mark
        case .sessionEnded(let id): sessions[id] = entry.mark
        }
    }

    /// Whether there is a change that the principal's reader could not know.
    func hasNewerRecord(than principal: Principal) -> Bool {
        let readAt = principal.readAt
        guard readAt.era == era, readAt.coversAll(upTo: forgotten) else { return true }
        let marks = [users[principal.user.id], principal.session.flatMap { sessions[$0] }]
        return marks.contains { mark in mark.map { !readAt.covers($0) } ?? false }
    }

    private mutating func forgetOlderHalf() {
        let numbers = (users.values.map(\.number) + sessions.values.map(\.number)).sorted()
        guard !numbers.isEmpty else { return }
        let middle = numbers[numbers.count / 2]
        forgotten = max(forgotten, middle)
        users = users.filter { $0.value.number > middle }
        sessions = sessions.filter { $0.value.number > middle }
    }
}
