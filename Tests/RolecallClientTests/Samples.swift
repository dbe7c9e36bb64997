import RolecallProtocol
import WireJSON

@testable import RolecallClient

let sampleLog = Era(rawValue: 0xABCD)

func position(_ sequence: Int64, log: Era = sampleLog) -> Position {
    Position(era: log, sequence: sequence)
}

func event(
    _ sequence: Int64, model: String = "thing", _ operation: ModelOperation = .updated,
    row: JSON = ["_id": 12, "name": "boiler 3", "active": true],
    by: Author? = Author(id: 1, name: "Ann"),
    at: String = "2026-11-22T13:45:01.123Z", changed: [String] = ["active"], folded: Int? = nil
) -> ModelEvent {
    ModelEvent(
        model: model, operation: operation, row: row, at: at, by: by,
        changed: operation.verb == "save" ? changed : [], folded: folded, position: position(sequence))
}

let ann = UserSummary(id: 1, email: "ann@example.org", name: "Ann", role: "user")
let root = UserSummary(id: 2, email: "root@example.org", name: "Root", role: "admin")

func identity(_ user: UserSummary?, epoch: Int64 = 1, reason: IdentityReason = .cookie) -> Identity {
    Identity(
        socketID: "S1", address: "127.0.0.1:5000", user: user, epoch: epoch,
        expiresAt: user == nil ? nil : Timestamp("2026-11-22T18:00:00.000Z"), models: ["thing"], reason: reason)
}
