import Hummingbird
import RolecallCore
import RolecallProtocol
import WireJSON

/// `/api/events`: the log as the caller may see it now, and why a user does or does not get an event of it.
struct EventRoutes: Sendable {
    let history: EventHistory
    let explanations: ExplanationService
    let identity: RequestIdentity

    func add(to router: Router<RolecallRequestContext>) {
        router.get("api/events") { request, _ in try await list(request) }
        router.get("api/events/:position/explain") { request, context in try await explain(request, context) }
    }

    private func list(_ request: Request) async throws -> Response {
        let principal = try await identity.principal(of: request)
        let query = try query(request, as: principal)
        // Up to thousands of entries and some megabytes: more than a connection's thread should spend its time on.
        return try await withTaskExecutorPreference(globalConcurrentExecutor) {
            switch try await history.read(query, as: principal) {
            case .gap(let gap): .gap(gap)
            case .entries(let entries, let position):
                .json(.array(entries.map(\.json)), headers: .position(position))
            }
        }
    }

    private func query(_ request: Request, as principal: Principal?) throws -> EventHistory.Query {
        try history.admit(principal)
        var query = EventHistory.Query()
        for (name, text) in request.uri.queryParameters {
            let text = String(text)
            switch name {
            case "after":
                guard let position = Position(text) else {
                    throw RequestFailure.invalidField(
                        "after", "after has to be a position, as events and answers carry it.")
                }
                query.after = position
            case "limit":
                guard let number = Int(text), (1...EventHistory.maximumLimit).contains(number) else {
                    throw RequestFailure.invalidField(
                        "limit", "limit has to be a number from 1 to \(EventHistory.maximumLimit).")
                }
                query.limit = number
            case "model":
                try history.admit(principal, toModel: text)
                query.models = (query.models ?? []).union([text])
            default:
                throw RequestFailure.invalidField(String(name), "What can be asked for is after, limit and model.")
            }
        }
        return query
    }

    private func explain(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.signedIn(request)
        let place = try context.parameters.require("position")
        let subject = request.uri.queryParameters["user"].map(String.init)
        switch try await explanations.explain(place, for: subject, as: claimant) {
        case .explanation(let explanation): return .json(explanation.json)
        case .gap(let gap): return .gap(gap)
        }
    }
}

extension EventHistory.Entry {
    /// The arguments of the socket's event, by name.
    fileprivate var json: JSON {
        switch self {
        case .gap(let gap):
            return [
                "event": .string(Gap.eventName), "data": gap.json, "info": .null,
                "position": .string(gap.before.description),
            ]
        case .event(let event):
            var object: JSONObject = ["event": .string(event.name)]
            for (name, value) in zip(["data", "info", "position"], event.arguments) { object[name] = value }
            return .object(object)
        }
    }
}
