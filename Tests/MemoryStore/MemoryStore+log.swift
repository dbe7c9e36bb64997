import ModelStore
import RolecallProtocol
import Synchronization

extension MemoryStore {
    public func span(deadline: Deadline) async throws -> LogSpan {
        try await read(deadline) { state, _ in
            LogSpan(start: LogCursor(era: state.eras.newest, sequence: state.earliest - 1), end: state.place)
        }
    }

    public func judge(_ position: Position, deadline: Deadline) async throws -> PositionVerdict {
        try await read(deadline) { state, _ in state.judge(position) }
    }

    public func stretch(behind cursor: LogCursor, limit: Int, deadline: Deadline) async throws -> LogStretch {
        try await read(deadline) { state, _ in state.stretch(behind: cursor, limit: limit) }
    }

    public func history(
        of model: Model, key: Value, behind cursor: LogCursor, limit: Int, deadline: Deadline
    ) async throws -> LogStretch {
        try await read(deadline) { state, _ in
            state.stretch(behind: cursor, limit: limit) { event in
                event.model == model.name && (event.change == .gap || event.key == key)
            }
        }
    }

    public func follow(
        from cursor: LogCursor, identities: IdentityCursor, limit: Int,
        _ body: @escaping @Sendable (LogNews, FollowerTurn) throws -> Void
    ) -> LogSubscription {
        let place = Place((log: cursor, identities: identities))
        return add(
            MemoryFollower { [weak self] finish in
                guard let self else { return false }
                let (cursor, identities) = place.value
                let (state, here) = try locked { try self.snapshot() }
                let stretch = state.stretch(behind: cursor, limit: limit)
                guard stretch.end != cursor || stretch.interruption != nil else { return false }
                let news = LogNews(stretch: stretch, identities: state.identities(behind: identities, upTo: here))
                try body(
                    news,
                    FollowerTurn {
                        place.value = (stretch.end, news.identities.cursor)
                        finish()
                    })
                return true
            })
    }
}

extension MemoryState {
    fileprivate func identities(behind cursor: IdentityCursor, upTo here: IdentityCursor) -> IdentityReading {
        guard cursor.era == here.era else { return IdentityReading(entries: [], cursor: here, isReset: true) }
        return IdentityReading(
            entries: identities.filter { $0.mark.era == here.era && !cursor.covers($0.mark) }, cursor: here)
    }
}

/// Where a follower has come to.
private final class Place<Value: Sendable>: Sendable {
    private let place: Mutex<Value>

    init(_ place: sending Value) { self.place = Mutex(place) }

    var value: Value {
        get { place.withLock { $0 } }
        set { place.withLock { $0 = newValue } }
    }
}

// MARK: - Identities

extension MemoryStore {
    public func claimant(user: Int64, session: String?, deadline: Deadline) async throws -> ClaimantRecord? {
        try await MemoryCall.run(until: deadline.moment(standard: standardTimeout)) { _ in
            let (state, cursor) = try self.locked { try self.snapshot() }
            return state.claimant(user: user, session: session, readAt: cursor)
        }
    }

    public func identityCursor(deadline: Deadline) async throws -> IdentityCursor {
        try await MemoryCall.run(until: deadline.moment(standard: standardTimeout)) { _ in
            try self.locked { try self.snapshot().identities }
        }
    }

    public func followIdentities(
        from cursor: IdentityCursor, _ body: @escaping @Sendable (IdentityReading, FollowerTurn) throws -> Void
    ) -> LogSubscription {
        let place = Place((cursor: cursor, isFirst: true))
        return add(
            MemoryFollower { [weak self] finish in
                guard let self else { return false }
                let (cursor, isFirst) = place.value
                let (state, here) = try locked { try self.snapshot() }
                guard isFirst || here != cursor else { return false }
                let reading = state.identities(behind: cursor, upTo: here)
                try body(
                    reading,
                    FollowerTurn {
                        place.value = (reading.cursor, false)
                        finish()
                    })
                return true
            })
    }
}
