import ModelStore
import RolecallProtocol
import SocketIOServer
import WireJSON

/// From an entry of the log to the bytes that a view is sent.
struct EventEncoder: Sendable {
    let policy: Policy
    let logID: LogID

    /// The events of a stretch of the log, as an audience is told them.
    func encode(_ events: some Sequence<ChangeRecord>, for audience: ReceiverClass) -> OutboundBatch {
        OutboundBatch(
            events.compactMap { event in
                guard audience.interest.includes(event) else { return nil }
                if let gap = gap(event, to: audience.view) {
                    return OutboundEvent(Gap.eventName, [gap.json], number: event.sequence)
                }
                return told(event, to: audience.view).map { told in
                    OutboundEvent(
                        told.name, told.arguments, number: event.sequence,
                        folding: .init(key: Self.foldingKey(of: event), digest: ModelEventDigest(told)))
                }
            })
    }

    /// Events of one row fold.
    static func foldingKey(of event: ChangeRecord) -> String { "\(event.model)/\(event.key.json)" }

    /// What a view is told of changes that the log itself was not told of; nil where the entry is none such, or of a model
    /// of which the view sees nothing.
    func gap(_ event: ChangeRecord, to view: View) -> Gap? {
        guard event.change == .gap, policy.visibleModels(to: view).contains(event.model) else { return nil }
        return Gap(
            after: Position(log: logID, sequence: event.sequence - 1).description,
            before: Position(log: logID, sequence: event.sequence), reason: .missed, models: [event.model])
    }

    /// What a view is told of one event; nil where that is nothing.
    func told(_ event: ChangeRecord, to view: View) -> ModelEvent? {
        let position = Position(log: logID, sequence: event.sequence)
        let by = policy.showsAuthors(to: view) ? event.author : nil
        switch policy.visibility(of: event, to: view) {
        case .nothing:
            return nil
        case .save(let row, let operation, let changed):
            return ModelEvent(
                model: event.model, operation: operation, row: row.json, at: event.at, by: by, changed: changed,
                position: position)
        case .remove(let operation):
            return ModelEvent(
                model: event.model, operation: operation, row: ["_id": event.key.json], at: event.at, by: by,
                changed: [], position: position)
        }
    }
}

/// What must be kept of an event that a newer one of the same row comes to stand for.
///
/// The newest row, or its removal, says where the row has come to. What it says of the way there is made true of the
/// whole way: a row that the client has never been told of is created, and what changed is all that did.
struct ModelEventDigest: EventDigest {
    var operation: ModelOperation
    var changed: [String]

    init(_ event: ModelEvent) {
        operation = event.operation
        changed = event.changed
    }

    func followed(by newer: any EventDigest) -> any EventDigest {
        (newer as? ModelEventDigest)?.standing(for: self) ?? newer
    }

    /// This newer one, where it stands for an older one as well.
    func standing(for older: ModelEventDigest) -> ModelEventDigest {
        var result = self
        guard operation == .updated else { return result }
        switch older.operation {
        case .created:
            result.operation = .created
            result.changed = []
        case .updated where older.changed != changed:
            result.changed = older.changed + changed.filter { !older.changed.contains($0) }
        case .updated, .removed, .hidden:
            break
        }
        return result
    }

    func amend(_ arguments: [JSON], standingFor count: Int, within span: FoldedSpan?) -> [JSON] {
        var amended = arguments.standing(within: span)
        guard count > 1, arguments.count > 1, var facts = arguments[1].objectValue else { return amended }
        facts["op"] = .string(operation.rawValue)
        if facts["changed"] != nil { facts["changed"] = .array(changed.map(JSON.string)) }
        facts["folded"] = .integer(Int64(count))
        amended[1] = .object(facts)
        return amended
    }
}

extension [JSON] {
    /// With the span in the position that they end with: a client that brings it back is told what it lacks.
    func standing(within span: FoldedSpan?) -> [JSON] {
        guard let span, var position = last?.stringValue.flatMap(Position.init) else { return self }
        position.folding = span.first...span.last
        return dropLast() + [.string(position.description)]
    }
}
