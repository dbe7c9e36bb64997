import ModelStore
import RolecallProtocol
import SocketIOServer
import WireJSON

/// From a record of the log to the bytes that a class of receivers is sent.
struct EventEncoder: Sendable {
    let policy: Policy

    /// The events of a stretch of the log, as a class of receivers is sent them.
    func encode(
        _ events: some Sequence<ChangeRecord>, in era: Era, for receivers: ReceiverClass
    ) -> OutboundBatch {
        OutboundBatch(
            events.compactMap { event in
                guard receivers.interest.includes(event) else { return nil }
                if let gap = gap(event, in: era, to: receivers.view) {
                    return OutboundEvent(Gap.eventName, [gap.json], number: event.sequence)
                }
                return modelEvent(for: event, in: era, to: receivers.view).map { modelEvent in
                    OutboundEvent(
                        modelEvent.name, modelEvent.arguments, number: event.sequence,
                        folding: .init(key: Self.foldingKey(of: event), digest: ModelEventDigest(modelEvent)))
                }
            })
    }

    /// Events of one row fold.
    static func foldingKey(of event: ChangeRecord) -> String { "\(event.model)/\(event.key.json)" }

    /// The gap that a view is sent for changes which the log has missed; nil where the record is none such, or of a model of
    /// which the view sees nothing.
    func gap(_ event: ChangeRecord, in era: Era, to view: View) -> Gap? {
        guard event.change == .gap, policy.visibleModels(to: view).contains(event.model) else { return nil }
        return Gap(
            after: Position(era: era, sequence: event.sequence - 1).description,
            before: Position(era: era, sequence: event.sequence), reason: .missed, models: [event.model])
    }

    /// The event that a view is sent for a record; nil where that is none.
    func modelEvent(for event: ChangeRecord, in era: Era, to view: View) -> ModelEvent? {
        let position = Position(era: era, sequence: event.sequence)
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
