import HTTPTypes
import Hummingbird
import ModelStore
import RolecallProtocol
import WireJSON

/// `/api/events/:position/explain`: why a user does or does not get an event, as he and the rules are now. For admins.
struct ExplanationRoutes: Sendable {
    let accounts: AccountService
    let identity: RequestIdentity

    func add(to router: Router<RolecallRequestContext>) {
        router.get("api/events/:position/explain") { request, context in try await explain(request, context) }
    }

    /// Whom it is asked about.
    private enum Subject {
        case nobody
        case id(Int64)
        case email(String)

        init?(_ text: String, lowestRole: String) {
            if text == "guest" || text == lowestRole {
                self = .nobody
            } else if let id = Int64(text) {
                self = .id(id)
            } else if text.contains("@") {
                self = .email(text)
            } else {
                return nil
            }
        }

        /// - Returns: nil for nobody.
        func user(in transaction: any ReadTransaction) throws -> UserSummary? {
            let record: UserRecord?
            switch self {
            case .nobody: return nil
            case .id(let id): record = try transaction.user(id: id)
            case .email(let email): record = try transaction.user(email: email)
            }
            guard let record else {
                throw RequestFailure(.notFound, .notFound, "There is no such user.", field: "user")
            }
            return record.summary
        }
    }

    private func explain(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.signedIn(request)
        let place = try context.parameters.require("position")
        let wanted = request.uri.queryParameters["user"].map(String.init)
        let answer = try await accounts.store.read { transaction in
            let caller = try accounts.administrator(claimant, in: transaction)
            let position = try self.position(place)
            guard let subject = wanted.flatMap({ Subject($0, lowestRole: accounts.policy.lowestRole) }) else {
                throw RequestFailure(
                    .unprocessableContent, .invalidField,
                    "user has to be a user's _id, his e-mail address, or guest.", field: "user")
            }
            guard let event = try transaction.events(after: position.sequence - 1, limit: 1).first,
                event.sequence == position.sequence
            else { return try lost(position, in: transaction) }
            let user = try subject.user(in: transaction)
            return Response.json(explanation(of: event, for: user, toldTo: caller.summary).json)
        }
        return answer.value
    }

    /// - Throws: 404 for what is no position of this log.
    private func position(_ text: String) throws -> Position {
        guard let position = Position(text), position.log == accounts.store.logID, position.sequence > 0 else {
            throw RequestFailure(
                .notFound, .notFound, "This is no position of an event of this log.", field: "position")
        }
        return position
    }

    private func lost(_ position: Position, in transaction: any ReadTransaction) throws -> Response {
        let earliest = try transaction.earliestSequence()
        guard position.sequence < earliest else {
            throw RequestFailure(.notFound, .notFound, "There is no event at this position.", field: "position")
        }
        let before = Position(log: position.log, sequence: max(0, earliest - 1))
        return EventRoutes.answer(Gap(after: position.description, before: before, reason: .retention))
    }

    private func explanation(
        of event: ChangeRecord, for user: UserSummary?, toldTo asker: UserSummary
    ) -> EventExplanation {
        let policy = accounts.policy
        let view = policy.view(role: asker.role, user: asker.owner)
        let seesRow = [event.before, event.after].contains { row in
            row.flatMap { policy.visible($0, of: event.model, to: view) } != nil
        }
        return EventExplanation(
            policy.explanation(of: event, for: user, toldTo: view), of: event,
            at: Position(log: accounts.store.logID, sequence: event.sequence), user: user,
            key: seesRow ? event.key.json : nil, by: policy.showsAuthors(to: view) ? event.author : nil)
    }
}
