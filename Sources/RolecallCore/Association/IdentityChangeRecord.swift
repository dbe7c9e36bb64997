import ModelStore
import RolecallProtocol

/// Which users and sessions have changed lately, and where in the log: a principal that was read before that has to be
/// read again.
///
/// It is bounded. What is forgotten is made up for: a principal that was read so long ago that something newer may have
/// been forgotten has to be read again, too; one that was read a moment ago never has.
struct IdentityChangeRecord {
    private static let capacity = 4096

    private var users: [Int64: Int64] = [:]
    private var sessions: [String: Int64] = [:]
    /// No change with a higher number has been forgotten.
    private var forgotten: Int64 = 0

    mutating func note(_ change: IdentityChange) {
        if users.count + sessions.count >= Self.capacity { forgetOlderHalf() }
        switch change.subject {
        case .user(let id, _): users[id] = change.sequence
        case .session(let id): sessions[id] = change.sequence
        }
    }

    /// Whether there is a change that the principal's reader could not know.
    func hasNewerRecord(than principal: Principal) -> Bool {
        let session = principal.session.flatMap { sessions[$0] } ?? 0
        return principal.readAt < max(forgotten, users[principal.user.id] ?? 0, session)
    }

    private mutating func forgetOlderHalf() {
        let sequences = (Array(users.values) + Array(sessions.values)).sorted()
        guard !sequences.isEmpty else { return }
        let middle = sequences[sequences.count / 2]
        forgotten = max(forgotten, middle)
        users = users.filter { $0.value > middle }
        sessions = sessions.filter { $0.value > middle }
    }
}
