import ModelStore
import RolecallProtocol

extension StoreUpkeep {
    /// What a write came to, with its position: waited for where it is pending, and nil where it does not come in time.
    /// The write is done in any case.
    func reading<Value>(_ committed: Committed<Value>) async -> Reading<Value> {
        Reading(value: committed.value, position: try? await position(committed.position))
    }
}
