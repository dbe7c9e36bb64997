import ModelStore
import RolecallProtocol

/// Which users and sessions the log has spoken of lately, and where: whoever read their records before that reads them
/// again.
///
/// It is bounded. What is forgotten is made up for: whoever read so long ago that something newer may have been forgotten
/// reads again, too, which those never do who read a moment ago.
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

    /// Whether there is something that the principal's reader could not know.
    func knowsBetter(than principal: Principal) -> Bool {
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
