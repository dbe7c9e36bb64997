import ModelStore
import RolecallProtocol
import WireJSON

/// Explains why a user does or does not get an event, as the user and the rules are now. For administrators.
package struct ExplanationService: Sendable {
    package enum Answer: Sendable {
        case explanation(EventExplanation)
        /// The event is not in the log any more. `before` is where what the log holds begins.
        case gap(Gap)
    }

    let store: any Store
    let accounts: AccountService

    /// - Parameters:
    ///   - place: the event's position.
    ///   - subject: a user's `_id`, e-mail address, or `guest` for a socket without a user.
    /// - Throws: ``DomainError/tokenRefused(_:)``, ``DomainError/forbidden(_:field:)``,
    ///   ``DomainError/notFound(_:field:)`` or ``DomainError/invalidField(_:field:)``, in this order.
    package func explain(
        _ place: String, for subject: String?, as claimant: Claimant
    ) async throws(DomainError) -> Answer {
        try await DomainError.mapping {
            try await store.read { transaction in
                let caller = try accounts.administrator(claimant, in: transaction)
                let position = try position(place)
                let lowestRole = accounts.policy.lowestRole
                guard let subject = subject.flatMap({ Subject($0, lowestRole: lowestRole) }) else {
                    throw DomainError.invalidField(
                        "user has to be a user's _id, his e-mail address, or guest.", field: "user")
                }
                guard let record = try transaction.events(after: position.sequence - 1, limit: 1).first,
                    record.sequence == position.sequence
                else { return .gap(try lost(position, in: transaction)) }
                let user = try subject.user(in: transaction)
                return .explanation(explanation(of: record, for: user, toldTo: caller.summary))
            }.value
        }
    }

    /// The user that is asked about.
    private enum Subject {
        case withoutUser
        case id(Int64)
        case email(String)

        init?(_ text: String, lowestRole: String) {
            if text == "guest" || text == lowestRole {
                self = .withoutUser
            } else if let id = Int64(text) {
                self = .id(id)
            } else if text.contains("@") {
                self = .email(text)
            } else {
                return nil
            }
        }

        /// - Returns: nil for a socket without a user.
        func user(in transaction: any ReadTransaction) throws -> UserSummary? {
            let record: UserRecord?
            switch self {
            case .withoutUser: return nil
            case .id(let id): record = try transaction.user(id: id)
            case .email(let email): record = try transaction.user(email: email)
            }
            guard let record else { throw DomainError.notFound("There is no such user.", field: "user") }
            return record.summary
        }
    }

    private func position(_ text: String) throws(DomainError) -> Position {
        guard let position = Position(text), position.era == store.logID, position.sequence > 0 else {
            throw .notFound("This is no position of an event of this log.", field: "position")
        }
        return position
    }

    private func lost(_ position: Position, in transaction: any ReadTransaction) throws -> Gap {
        let earliest = try transaction.earliestSequence()
        guard position.sequence < earliest else {
            throw DomainError.notFound("There is no event at this position.", field: "position")
        }
        let before = Position(era: position.era, sequence: max(0, earliest - 1))
        return Gap(after: position.description, before: before, reason: .retention)
    }

    private func explanation(
        of record: ChangeRecord, for user: UserSummary?, toldTo asker: UserSummary
    ) -> EventExplanation {
        let policy = accounts.policy
        let view = policy.view(role: asker.role, user: asker.owner)
        let seesRow = [record.before, record.after].contains { row in
            row.flatMap { policy.visible($0, of: record.model, to: view) } != nil
        }
        return EventExplanation(
            policy.explanation(of: record, for: user, toldTo: view), of: record,
            at: Position(era: store.logID, sequence: record.sequence), user: user,
            key: seesRow ? record.key.json : nil, by: policy.showsAuthors(to: view) ? record.author : nil)
    }
}
