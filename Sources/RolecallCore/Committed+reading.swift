import ModelStore
import RolecallProtocol

extension StoreUpkeep {
    /// What a write came to, with its position: waited for where it is pending, and nil where it does not come in time.
    /// The write is done in any case.
    func reading<Value>(_ committed: Committed<Value>) async -> Reading<Value> {
        Reading(value: committed.value, position: try? await position(committed.position))
    }

    /// Runs a write, and has every error of it as one of the domain's. Where the store can't say whether it was done, it is
    /// asked to find out.
    func writing<Output>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Output
    ) async throws(DomainError) -> Output {
        do {
            return try await body()
        } catch {
            throw await settled(error)
        }
    }

    /// The domain's error for one of the store's; an unknown outcome is settled first.
    func settled(_ error: any Error) async -> DomainError {
        guard case StoreError.unknown(_, let receipt) = error, let settlement = try? await settle(receipt) else {
            return DomainError(error)
        }
        switch settlement {
        case .rolledBack:
            return .unavailable("Nothing was done: the database failed. Try again.", cause: "\(error); rolled back")
        case .committed:
            return .outcomeUnknown(
                "It was done, and the database failed before it could say how: read before you try again.",
                cause: "\(error); committed")
        case .unknown:
            return DomainError(error)
        }
    }
}
