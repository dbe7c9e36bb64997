import ModelStore

/// Who holds what. Used under the store's own lock.
struct LockTable {
    private var owners: [LockSubject: Int64] = [:]
    private var waiting: [Int64: LockSubject] = [:]

    enum Outcome {
        case held
        case taken
        /// The one that holds it waits, in the end, for this one.
        case deadlock
    }

    mutating func take(_ subject: LockSubject, for transaction: Int64) -> Outcome {
        guard let owner = owners[subject], owner != transaction else {
            owners[subject] = transaction
            waiting[transaction] = nil
            return .held
        }
        waiting[transaction] = subject
        var next: Int64? = owner
        while let holder = next {
            if holder == transaction {
                waiting[transaction] = nil
                return .deadlock
            }
            next = waiting[holder].flatMap { owners[$0] }
        }
        return .taken
    }

    mutating func stopWaiting(_ transaction: Int64) {
        waiting[transaction] = nil
    }

    mutating func release(_ transaction: Int64) {
        waiting[transaction] = nil
        owners = owners.filter { $0.value != transaction }
    }

    var waiters: Int { waiting.count }
}
