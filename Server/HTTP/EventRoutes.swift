import HTTPTypes
import Hummingbird
import ModelStore
import RolecallProtocol
import WireJSON

/// `/api/events`: the log as the caller may see it now, each entry as a socket of his would be told it.
///
/// The answer's position says how far the log was read, whether or not all of that was told: who goes on from there
/// misses nothing, and has seen all when the position stays where it was.
struct EventRoutes: Sendable {
    static let defaultLimit = 100
    static let maximumLimit = 1000
    /// How many entries of the log one request reads, whoever may see them.
    static let longestReading = 10_000
    /// An answer ends early once it is about so large, in bytes.
    static let maximumSize = 8 << 20
    private static let batchLimit = 256

    let store: any Store
    let encoder: EventEncoder
    let identity: RequestIdentity
    private var policy: Policy { encoder.policy }

    func add(to router: Router<RolecallRequestContext>) {
        router.get("api/events") { request, _ in try await list(request) }
    }

    private func list(_ request: Request) async throws -> Response {
        let principal = try await identity.principal(of: request)
        let asked = try Asked(request, by: principal?.user, under: policy, of: store)
        let view = policy.view(role: principal?.user.role, user: principal?.user.owner)
        // Up to thousands of entries and some megabytes: more than a connection's thread should spend its time on.
        return try await withTaskExecutorPreference(globalConcurrentExecutor) {
            switch try await read(asked, as: view) {
            case .gap(let gap): return Self.answer(gap)
            case .events(let events, let position):
                return .json(.array(events), headers: .position(position))
            }
        }
    }

    // MARK: What is asked for

    private struct Asked {
        /// Nil for the log's beginning.
        var after: Position?
        var limit = EventRoutes.defaultLimit
        /// Nil for all that the caller may see.
        var models: Set<String>?

        init(_ request: Request, by user: UserSummary?, under policy: Policy, of store: any Store) throws {
            let visible = policy.visibleModels(to: policy.view(role: user?.role, user: user?.owner))
            if visible.isEmpty, user == nil { throw RequestFailure.signInFirst }
            for (name, text) in request.uri.queryParameters {
                let text = String(text)
                switch name {
                case "after":
                    guard let position = Position(text) else {
                        throw Self.invalid("after", "after has to be a position, as events and answers carry it.")
                    }
                    after = position
                case "limit":
                    guard let number = Int(text), (1...EventRoutes.maximumLimit).contains(number) else {
                        throw Self.invalid(
                            "limit", "limit has to be a number from 1 to \(EventRoutes.maximumLimit).")
                    }
                    limit = number
                case "model":
                    guard store.models.contains(where: { $0.name == text }) else {
                        throw RequestFailure(
                            .notFound, .notFound, "There is no model \"\(text.prefix(64))\".", field: "model")
                    }
                    guard visible.contains(text) else {
                        guard let user else { throw RequestFailure.signInFirst }
                        throw RequestFailure(
                            .forbidden, .forbidden, "The role \(user.role) may not see any \(text).", field: "model")
                    }
                    models = (models ?? []).union([text])
                default:
                    throw Self.invalid(String(name), "What can be asked for is after, limit and model.")
                }
            }
        }

        private static func invalid(_ field: String, _ sentence: String) -> RequestFailure {
            RequestFailure(.unprocessableContent, .invalidField, sentence, field: String(field.prefix(64)))
        }
    }

    // MARK: Reading

    private enum Reading {
        /// As they are answered.
        case events([JSON], upTo: Position)
        case gap(Gap)
    }

    /// What one snapshot holds.
    private struct Stretch: Sendable {
        var start: Int64
        var earliest: Int64
        var events: [ChangeRecord]
    }

    private func read(_ asked: Asked, as view: View) async throws -> Reading {
        if let after = asked.after, after.log != store.logID { return try await gap(.unknown, after) }
        // Within a folded stretch what was told does not end at one place: all of it is told, some of it again.
        var cursor = asked.after.map { after in after.folding.map { $0.lowerBound - 1 } ?? after.sequence }
        var (told, size, count): ([JSON], Int, Int) = ([], 0, 0)
        while true {
            let from = cursor
            let snapshot = try await store.read { transaction in
                let earliest = try transaction.earliestSequence()
                let start = from ?? max(0, earliest - 1)
                return Stretch(
                    start: start, earliest: earliest,
                    events: try transaction.events(after: start, limit: Self.batchLimit))
            }
            let stretch = snapshot.value
            if let after = asked.after, after.sequence > snapshot.position.sequence {
                return try await gap(.unknown, after)
            }
            // Numbers can be missing from the log; only one that stood below its first entry is lost.
            if stretch.start + 1 < stretch.earliest {
                // What is lost meanwhile is for the next request to hear of.
                guard count == 0 else { return .events(told, upTo: position(stretch.start)) }
                return try await gap(.retention, position(stretch.start))
            }
            for entry in stretch.events {
                count += 1
                cursor = entry.sequence
                guard asked.models?.contains(entry.model) ?? true, let event = json(entry, to: view) else { continue }
                told.append(event)
                size += entry.after?.approximateSize ?? 0
                if told.count == asked.limit || size >= Self.maximumSize {
                    return .events(told, upTo: position(entry.sequence))
                }
            }
            // Fewer than were asked for: there are no more up to the snapshot's own position.
            if stretch.events.count < Self.batchLimit { return .events(told, upTo: snapshot.position) }
            if count >= Self.longestReading { return .events(told, upTo: position(cursor ?? stretch.start)) }
        }
    }

    private func position(_ sequence: Int64) -> Position { Position(log: store.logID, sequence: sequence) }

    // MARK: Answers

    private func gap(_ reason: Gap.Reason, _ after: Position) async throws -> Reading {
        let earliest = try await store.read { try $0.earliestSequence() }.value
        return .gap(Gap(after: after.description, before: position(max(0, earliest - 1)), reason: reason))
    }

    /// `before` is where what the log still holds begins.
    static func answer(_ gap: Gap) -> Response {
        let sentence =
            switch gap.reason {
            case .retention: "The log no longer holds what came after this position: reload, and go on from there."
            default: "This is no position of this log: reload, and go on from there."
            }
        var object = WireError(.gap, sentence).json.objectValue ?? [:]
        for (name, value) in gap.json.objectValue ?? [:] { object[name] = value }
        return .json(.object(object), status: .gone)
    }

    /// The arguments of the socket's event, by name; nil where a socket would be told nothing.
    private func json(_ entry: ChangeRecord, to view: View) -> JSON? {
        if let gap = encoder.gap(entry, to: view) {
            return [
                "event": .string(Gap.eventName), "data": gap.json, "info": .null,
                "position": .string(gap.before.description),
            ]
        }
        guard let event = encoder.told(entry, to: view) else { return nil }
        var object: JSONObject = ["event": .string(event.name)]
        for (name, value) in zip(["data", "info", "position"], event.arguments) { object[name] = value }
        return .object(object)
    }
}
