import RolecallProtocol
import SocketIOServer
import WireJSON

/// What must be kept of an event that a newer one of the same row comes to stand for. The event that is sent keeps the
/// newer one's name, so ``operation`` must keep its verb.
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
