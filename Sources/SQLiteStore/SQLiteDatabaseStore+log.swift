import GRDB
import ModelStore
import RolecallProtocol
import Synchronization

extension SQLiteDatabaseStore {
    public func span(deadline: Deadline) async throws -> LogSpan {
        try await reading(readers.log, deadline) { transaction in
            let place = try EventLog.place(transaction.db)
            return LogSpan(
                start: LogCursor(era: place.era, sequence: place.earliest - 1),
                end: LogCursor(era: place.era, sequence: place.head))
        }
    }

    public func judge(_ position: Position, deadline: Deadline) async throws -> PositionVerdict {
        try await reading(readers.log, deadline) { transaction in
            try transaction.mapped {
                let place = try EventLog.place(transaction.db)
                return try EraTable.chain(transaction.db)
                    .judge(position, earliest: place.earliest, head: place.head)
            }
        }
    }

    public func stretch(behind cursor: LogCursor, limit: Int, deadline: Deadline) async throws -> LogStretch {
        try await reading(readers.log, deadline) { transaction in
            try transaction.stretch(behind: cursor, limit: limit, at: EventLog.place(transaction.db))
        }
    }

    public func history(
        of model: Model, key: Value, behind cursor: LogCursor, limit: Int, deadline: Deadline
    ) async throws -> LogStretch {
        try await reading(readers.log, deadline) { transaction in
            let place = try EventLog.place(transaction.db)
            return try transaction.stretch(behind: cursor, at: place) { after in
                var events: [ChangeRecord] = []
                try transaction.events(of: model, key: key, after: after) { event in
                    events.append(event)
                    return events.count < limit
                }
                return (events, events.count == limit)
            }
        }
    }

    public func follow(
        from cursor: LogCursor, identities: IdentityCursor, limit: Int,
        _ body: @escaping @Sendable (LogNews, FollowerTurn) throws -> Void
    ) -> LogSubscription {
        let place = FollowerPlace((log: cursor, identities: identities))
        return followers.add { transaction, turn in
            let (cursor, identities) = place.value
            let here = try EventLog.place(transaction.db)
            let news = LogNews(
                stretch: try transaction.stretch(behind: cursor, limit: limit, at: here),
                identities: try IdentityLog.reading(
                    behind: identities, at: here, in: transaction.db, memberships: transaction.memberships))
            guard news.stretch.end != cursor || news.stretch.interruption != nil else { return turn.end() }
            try body(
                news,
                FollowerTurn {
                    place.value = (news.stretch.end, news.identities.cursor)
                    turn.end(wantsMore: news.stretch.mayHoldMore)
                })
        }
    }
}

extension SQLiteReadTransaction {
    fileprivate func stretch(behind cursor: LogCursor, limit: Int, at place: EventLog.Place) throws -> LogStretch {
        try stretch(behind: cursor, at: place) { after in
            let events = try events(after: after, limit: limit)
            return (events, events.count == limit)
        }
    }

    fileprivate func stretch(
        behind cursor: LogCursor, at place: EventLog.Place,
        _ read: (_ after: Int64) throws -> (events: [ChangeRecord], isFull: Bool)
    ) throws -> LogStretch {
        var (start, interruption): (LogCursor, LogStretch.Interruption?) = (cursor, nil)
        if cursor.era != place.era || !(place.earliest - 1...place.head).contains(cursor.sequence) {
            (start, interruption) = try EraTable.chain(db)
                .resumption(of: cursor, earliest: place.earliest, head: place.head)
        }
        let (events, isFull) = try read(start.sequence)
        let end = isFull ? events.last?.sequence ?? start.sequence : place.head
        return LogStretch(
            start: start, interruption: interruption, entries: events,
            end: LogCursor(era: place.era, sequence: end), mayHoldMore: isFull)
    }
}

/// Where a follower has come to. One turn at a time uses it, each on a thread of its own.
final class FollowerPlace<Place: Sendable>: Sendable {
    private let place: Mutex<Place>

    init(_ place: sending Place) {
        self.place = Mutex(place)
    }

    var value: Place {
        get { place.withLock { $0 } }
        set { place.withLock { $0 = newValue } }
    }
}
