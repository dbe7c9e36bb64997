import ModelStore
import RolecallProtocol

/// What an operator does to the log by hand: shortening it, and erasing from it what must not be kept.
package struct LogUpkeep: Sendable {
    /// How many entries go in one transaction, at most.
    private static let step = 1000
    /// What an operator asks for is waited for, however large the log is.
    private static var patience: Deadline { .within(.seconds(24 * 3600)) }

    let store: any Store

    package init(store: any Store) {
        self.store = store
    }

    /// Forgets the oldest entries.
    ///
    /// - Parameters:
    ///   - age: entries that are older than this go, in seconds; nil for none.
    ///   - keeping: all but so many newest go; nil for none.
    /// - Returns: how many went.
    package func prune(olderThan age: Int?, keeping: Int?) async throws(DomainError) -> Int {
        let before = age.map { Timestamp(milliseconds: Timestamp.now.milliseconds - Int64($0) * 1000) }
        return try await DomainError.mapping {
            var total = 0
            let head = try await store.head()
            while true {
                let count = try await store.prune(
                    PruneOrder(before: before, keeping: keeping, through: head, limit: Self.step))
                total += count
                if count == 0 { return total }
            }
        }
    }

    /// Erases a row's past, and leaves a gap of its model.
    ///
    /// - Parameter key: the row's `_id`, as a text spells it.
    /// - Returns: how many entries went.
    package func erase(_ key: String, ofModel name: String) async throws(DomainError) -> Int {
        guard let model = store.models.first(where: { $0.name == name }) else {
            let names = store.models.map(\.name).joined(separator: ", ")
            throw .notFound("There is no model \(name); there are \(names).", field: "model")
        }
        guard let value = RowKey.value(text: key, of: model) else {
            throw .invalidField("\(key) can't be the _id of a \(name).", field: "key")
        }
        return try await DomainError.mapping {
            try await store.eraseEvents(of: model, key: value, deadline: Self.patience).value
        }
    }

    /// Takes a user's name off all that the user has done.
    ///
    /// - Returns: how many entries bore it.
    package func eraseAuthor(_ user: UserSummary) async throws(DomainError) -> Int {
        try await DomainError.mapping { try await store.eraseAuthor(user.id, deadline: Self.patience).value }
    }
}
