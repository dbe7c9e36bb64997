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

    let store: any LogStore & AccountStore & IdentityStore
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
            let asker = try await accounts.administrator(claimant)
            let position = try position(place)
            let lowestRole = accounts.policy.lowestRole
            guard let subject = subject.flatMap({ Subject($0, lowestRole: lowestRole) }) else {
                throw DomainError.invalidField(
                    "user has to be a user's _id, his e-mail address, or guest.", field: "user")
            }
            guard let record = try await record(at: position) else {
                return .gap(try await lost(position))
            }
            let user = try await store.inspect { try subject.user(in: $0) }.value
            return .explanation(
                explanation(
                    of: record, at: position, for: user, memberships: try await memberships(of: user),
                    toldTo: accounts.policy.view(
                        role: asker.role, user: asker.owner, memberships: try await memberships(of: asker))))
        }
    }

    /// The user that is asked about.
    private enum Subject: Sendable {
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
        func user(in reader: any AccountReader) throws -> UserSummary? {
            let record: UserRecord?
            switch self {
            case .withoutUser: return nil
            case .id(let id): record = try reader.user(id: id)
            case .email(let email): record = try reader.user(email: email)
            }
            guard let record else { throw DomainError.notFound("There is no such user.", field: "user") }
            return record.summary
        }
    }

    private func memberships(of user: UserSummary?) async throws -> Memberships {
        guard let user else { return .none }
        return try await store.claimant(user: user.id, session: nil)?.memberships ?? .none
    }

    private func position(_ text: String) throws(DomainError) -> Position {
        guard let position = Position(text), position.sequence > 0 else {
            throw .notFound("This is no position of an event of this log.", field: "position")
        }
        return position
    }

    /// - Returns: nil where the log holds no record at this position.
    /// - Throws: ``DomainError/notFound(_:field:)`` for what is no position of this log.
    private func record(at position: Position) async throws -> ChangeRecord? {
        if case .unknown = try await store.judge(position) {
            throw DomainError.notFound("This is no position of an event of this log.", field: "position")
        }
        let before = LogCursor(era: position.era, sequence: position.sequence - 1)
        let stretch = try await store.stretch(behind: before, limit: 1)
        guard stretch.interruption == nil, let record = stretch.entries.first,
            record.sequence == position.sequence
        else { return nil }
        return record
    }

    private func lost(_ position: Position) async throws -> Gap {
        let start = try await store.span().start
        guard position.sequence <= start.sequence else {
            throw DomainError.notFound("There is no event at this position.", field: "position")
        }
        return Gap(after: position.description, before: start.position, reason: .retention)
    }

    private func explanation(
        of record: ChangeRecord, at position: Position, for user: UserSummary?, memberships: Memberships,
        toldTo view: View
    ) -> EventExplanation {
        let policy = accounts.policy
        let seesRow = [record.before, record.after].contains { row in
            row.flatMap { policy.visible($0, of: record.model, to: view) } != nil
        }
        return EventExplanation(
            policy.explanation(of: record, for: user, memberships: memberships, toldTo: view), of: record,
            at: Position(era: position.era, sequence: record.sequence), user: user,
            key: seesRow ? record.key.json : nil, by: policy.showsAuthors(to: view) ? record.author : nil,
            under: policy)
    }
}
