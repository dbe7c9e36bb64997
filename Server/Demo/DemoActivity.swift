import Logging
import ModelStore
import RolecallProtocol
import ServiceLifecycle

/// Changes the demo's things by itself, so that there is something to see.
struct DemoActivity: Service, CustomStringConvertible {
    let store: any Store
    /// Changes per second; more than 0.
    let rate: Double
    let logger: Logger
    var description: String { "demo activity" }

    func run() async throws {
        guard let model = store.models.first(where: { $0.name == "thing" }) else { return }
        let clock = ContinuousClock()
        try? await cancelWhenGracefulShutdown {
            var next = clock.now
            while true {
                next = max(next + .seconds(1 / rate), clock.now)
                try await clock.sleep(until: next)
                do {
                    try await store.transaction { try Self.change(model, in: $0) }
                } catch let error as StoreError {
                    logger.warning("the demo could not change anything", metadata: ["error": .string("\(error)")])
                }
            }
        }
    }

    /// Some row's info, mostly; now and then a row comes or goes, or changes hands between admins and everyone.
    private static func change(_ model: Model, in transaction: any StoreTransaction) throws {
        var rows: [Row] = []
        try transaction.rows(of: model, after: nil, equals: []) { row in
            rows.append(row)
            return rows.count < 100
        }
        guard let row = rows.randomElement(), let key = row["_id"] else {
            return try add(to: model, in: transaction)
        }
        try transaction.lock(row: key, of: model)
        switch Int.random(in: 0..<10) {
        case 0 where rows.count < 12:
            try add(to: model, in: transaction)
        case 1 where rows.count > 5:
            _ = try transaction.remove(model, key: key)
        case 2:
            let isHidden = row["admin_only"] == .boolean(true)
            _ = try transaction.update(model, key: key, set: [(column: "admin_only", value: .boolean(!isHidden))])
        case 3:
            let isActive = row["active"] == .boolean(true)
            _ = try transaction.update(model, key: key, set: [(column: "active", value: .boolean(!isActive))])
        default:
            _ = try transaction.update(
                model, key: key, set: [(column: "info", value: .text("\(Int.random(in: 20...95)) °C"))])
        }
    }

    private static func add(to model: Model, in transaction: any StoreTransaction) throws {
        let kinds = ["boiler", "pump", "valve", "fan", "sensor"]
        let name = "\(kinds.randomElement() ?? "boiler") \(Int.random(in: 10...99))"
        _ = try transaction.insert(
            [
                (column: "name", value: .text(name)), (column: "info", value: .text("new")),
                (column: "admin_only", value: .boolean(Int.random(in: 0..<5) == 0)),
            ], into: model)
    }
}
