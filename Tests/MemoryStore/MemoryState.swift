import ModelStore
import RolecallProtocol

/// What has been committed, as one value: a copy is a snapshot.
struct MemoryState: Sendable {
    var tables: [String: [Value: Row]] = [:]
    var users: [Int64: UserRecord] = [:]
    var sessions: [String: SessionRecord] = [:]
    /// Entries that have their numbers, lowest first.
    var log: [ChangeRecord] = []
    /// The highest number that was given.
    var head: Int64 = 0
    /// Transactions that are committed and have no numbers yet, in the order of their commits.
    var inbox: [Inbound] = []
    var identities: [IdentityFeedEntry] = []
    var eras: EraChain
    /// The sources of memberships, with the models of their tables.
    let sources: [(model: String, source: MembershipSource)]

    struct Inbound: Sendable {
        var transaction: Int64
        var changes: [ChangeRecord]
    }

    init(era: Era, sources: [(model: String, source: MembershipSource)]) {
        self.sources = sources
        eras = EraChain([EraRecord(era: era, first: 1)])
    }

    var earliest: Int64 { log.first?.sequence ?? head + 1 }
    var place: LogCursor { LogCursor(era: eras.newest, sequence: head) }

    /// Gives numbers to all that has been committed.
    mutating func number() {
        for inbound in inbox {
            for var change in inbound.changes {
                head += 1
                change.sequence = head
                log.append(change)
            }
        }
        inbox = []
    }

    func judge(_ position: Position) -> PositionVerdict {
        eras.judge(position, earliest: earliest, head: head)
    }

    func stretch(
        behind cursor: LogCursor, limit: Int, where isMeant: (ChangeRecord) -> Bool = { _ in true }
    ) -> LogStretch {
        let (start, interruption) = eras.resumption(of: cursor, earliest: earliest, head: head)
        let entries = Array(log.filter { $0.sequence > start.sequence && isMeant($0) }.prefix(limit))
        let isFull = entries.count == limit
        return LogStretch(
            start: start, interruption: interruption, entries: entries,
            end: LogCursor(era: eras.newest, sequence: isFull ? entries.last?.sequence ?? start.sequence : head),
            mayHoldMore: isFull)
    }

    // MARK: Memberships

    func memberships(of user: UserRecord) -> Memberships {
        Memberships(
            sources.flatMap { model, source in
                rows(of: model).values.filter { source.names(user, in: $0) }.compactMap { row in
                    row[source.of].map { value in
                        Membership(
                            name: source.membership, value: value,
                            roles: Membership.roles(in: source.role.flatMap { row[$0] }))
                    }
                }
            })
    }

    /// The users that a row of a model makes members of something.
    func members(in row: Row, of model: String) -> [UserRecord] {
        users.values.filter { user in
            sources.contains { $0.model == model && $0.source.names(user, in: row) }
        }
    }

    // MARK: Rows

    func row(of model: String, key: Value) -> Row? {
        guard model == ModelName.user else { return tables[model]?[key] }
        guard case .integer(let id) = key else { return nil }
        return users[id]?.image
    }

    func rows(of model: String) -> [Value: Row] {
        guard model == ModelName.user else { return tables[model] ?? [:] }
        return Dictionary(users.values.map { (.integer($0.id), $0.image) }, uniquingKeysWith: { first, _ in first })
    }
}

extension MembershipSource {
    fileprivate func names(_ user: UserRecord, in row: Row) -> Bool {
        switch (self.user.name, row[self.user.column]) {
        case (.id, .integer(let id)): id == user.id
        case (.email, .text(let email)): email.lowercased() == user.email.lowercased()
        default: false
        }
    }
}

extension UserRecord {
    /// The row as the log tells it.
    var image: Row {
        Row([
            (column: Model.keyName, value: .integer(id)), (column: "email", value: .text(email)),
            (column: "name", value: .text(name)), (column: "role", value: .text(role)),
            (column: "generation", value: .integer(generation)),
        ])
    }
}

extension Dictionary where Key == ModelStore.Value, Value == Row {
    /// The rows in the order of their keys.
    func sorted(_ order: KeyOrder) -> [(key: Key, value: Row)] {
        let rows = sorted { $0.key.precedes($1.key) }
        return order == .ascending ? rows : rows.reversed()
    }
}

extension Value {
    /// The order of keys.
    func precedes(_ other: Value) -> Bool {
        switch (self, other) {
        case (.integer(let left), .integer(let right)): left < right
        case (.text(let left), .text(let right)): Array(left.utf8).lexicographicallyPrecedes(Array(right.utf8))
        case (.integer, _): true
        default: false
        }
    }
}
