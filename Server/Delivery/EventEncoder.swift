import ModelStore
import RolecallProtocol
import SocketIOServer
import WireJSON

/// From an entry of the log to the bytes that a view is sent.
struct EventEncoder: Sendable {
    let policy: Policy
    let logID: LogID

    /// The events of a stretch of the log, as a view sees them.
    func encode(_ events: some Sequence<LogEvent>, for view: View) -> OutboundBatch {
        var batch = OutboundBatch()
        for event in events {
            guard let told = told(event, to: view) else { continue }
            batch.append(told.name, told.arguments)
        }
        return batch
    }

    /// What a view is told of one event; nil where that is nothing.
    func told(_ event: LogEvent, to view: View) -> ModelEvent? {
        let position = Position(log: logID, sequence: event.sequence)
        let by = policy.showsActors(to: view) ? event.actor : nil
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
