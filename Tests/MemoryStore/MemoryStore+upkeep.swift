import ModelStore
import RolecallProtocol

extension MemoryStore {
    public func probe(deadline: Deadline) async throws { try await read(deadline) { _, _ in } }

    public func prepareForService() async throws {}

    public func prune(_ order: PruneOrder, deadline: Deadline) async throws -> Int {
        try change { state in
            let common = state.eras.lastCommon(of: order.through.era, head: state.head) ?? 0
            let through = min(order.through.sequence, common)
            var last: Int64 = 0
            if let before = order.before {
                last = state.log.prefix { $0.sequence <= through && $0.at < before.description }.last?.sequence ?? 0
            }
            if let keeping = order.keeping { last = max(last, min(state.head - Int64(keeping), through)) }
            let gone = min(order.limit, state.log.prefix { $0.sequence <= last }.count)
            state.log.removeFirst(gone)
            return gone
        }
    }

    public func eraseEvents(of model: Model, key: Value, deadline: Deadline) async throws -> Committed<Int> {
        let count = try change { state in
            let count = state.log.count { $0.model == model.name && $0.key == key }
            state.log.removeAll { $0.model == model.name && $0.key == key }
            if count > 0 {
                let gap = ChangeRecord(
                    sequence: 0, model: model.name, change: .gap, key: .null, before: nil, after: nil, author: nil,
                    at: Timestamp.now.description)
                state.inbox.append(MemoryState.Inbound(transaction: 0, changes: [gap]))
                state.number()
            }
            return count
        }
        return Committed(value: count, position: .at(locked { state.place.position }), identity: mark())
    }

    public func eraseAuthor(_ user: Int64, deadline: Deadline) async throws -> Committed<Int> {
        let count = try change { state in
            var count = 0
            for index in state.log.indices where state.log[index].author?.id == user {
                state.log[index].author = nil
                count += 1
            }
            return count
        }
        return Committed(value: count, position: .at(locked { state.place.position }), identity: mark())
    }

    public func beginEra(deadline: Deadline) async throws -> LogCursor {
        try locked {
            _ = try snapshot()
            return startEra()
        }
    }

    public func position(of receipt: CommitReceipt, deadline: Deadline) async throws -> Position {
        try await MemoryCall.run(until: deadline.moment(standard: standardTimeout)) { call in
            try self.place(of: receipt, call)
        }
    }

    public func settle(_ receipt: CommitReceipt, deadline: Deadline) async throws -> Settlement {
        settlement(of: receipt)
    }
}
