import GRDB
import Logging
import ModelStore
import RolecallProtocol

/// Reading those entries of `rolecall_events` that change identities, without a look at any other.
enum IdentityLog {
    /// Holds for the entries that are meant. Word for word in the index and in the query: SQLite uses a partial index only
    /// where it finds the index's own condition again.
    static let condition = "model IN ('\(ModelName.user)', '\(SessionTriggers.model)', '\(MembershipTriggers.model)')"

    /// Costs a write of any other row nothing but the comparison.
    static let index = """
        CREATE INDEX rolecall_events_of_identity ON rolecall_events(seq) WHERE \(condition)
        """

    /// As version 2 made it.
    static let formerIndex = """
        CREATE INDEX rolecall_events_of_identity ON rolecall_events(seq) \
        WHERE model IN ('\(ModelName.user)', '\(SessionTriggers.model)')
        """

    static let query = """
        SELECT \(EventLog.columns) FROM rolecall_events WHERE \(condition) AND seq > ? ORDER BY seq
        """

    /// All that the snapshot holds beyond a cursor; a reset where the log has lost some of it, to a new era, to pruning
    /// or to what has left a gap.
    static func reading(
        behind cursor: IdentityCursor, at place: EventLog.Place, in db: Database, memberships: MembershipReader
    ) throws -> IdentityReading {
        let here = IdentityCursor(era: place.era, upTo: place.head)
        guard cursor.era == place.era else { return IdentityReading(entries: [], cursor: here, isReset: true) }
        // The log's earliest entry first: it says for nothing that most cursors have missed none.
        if cursor.upTo < place.earliest - 1, cursor.upTo < (try prunedThrough(db)) {
            return IdentityReading(entries: [], cursor: here, isReset: true)
        }
        var (entries, hasGap): ([IdentityFeedEntry], Bool) = ([], false)
        var touched = TouchedMembers()
        guard place.identityHead > cursor.upTo else { return IdentityReading(entries: entries, cursor: here) }
        try db.query(query, [.integer(cursor.upTo)]) { row in
            let event = EventLog.event(row)
            if event?.change == .gap {
                hasGap = true
            } else if let event, touched.note(event) {
                // What the tables say by now is read below, once for each user.
            } else if let entry = event.flatMap({ entry($0, era: place.era) }) {
                entries.append(entry)
                // An address names other rows than the one before it.
                if memberships.goesByEmail, case .user(let id, _?) = entry.subject,
                    event?.before?["email"] != event?.after?["email"]
                {
                    touched.note(id, entry.mark, entry.at)
                }
            } else {
                memberships.logger.error(
                    "skipped an unreadable event of the log", metadata: ["sequence": "\(row.integer(0))"])
            }
            return true
        }
        guard !hasGap else { return IdentityReading(entries: [], cursor: here, isReset: true) }
        entries += try touched.entries(in: place.era, db, memberships)
        entries.sort { $0.mark.number < $1.mark.number }
        return IdentityReading(entries: entries, cursor: here)
    }

    /// Notes, before entries go, how far those about identities have gone: a reader from before that has missed some.
    static func notePruning(through sequence: Int64, in db: Database) throws {
        let last = try db.first(
            "SELECT max(seq) FROM rolecall_events WHERE \(condition) AND seq <= ?", [.integer(sequence)]
        ) { $0.integer(0) }
        guard let last, last > 0 else { return }
        try db.run(
            "INSERT OR REPLACE INTO rolecall_meta(key, value) VALUES ('identity_pruned_through', ?)", [.integer(last)])
    }

    /// Up to here entries about identities have been pruned; 0 for none.
    private static func prunedThrough(_ db: Database) throws -> Int64 {
        try db.first("SELECT value FROM rolecall_meta WHERE key = 'identity_pruned_through'") { $0.integer(0) } ?? 0
    }

    /// The users whose memberships may have changed, each with the last entry that says so.
    private struct TouchedMembers {
        private var ids: [Int64: (number: Int64, at: String)] = [:]
        /// By their bytes, as the accounts' table tells them apart.
        private var addresses: [Value: (number: Int64, at: String)] = [:]

        /// - Returns: false for an entry of another kind.
        mutating func note(_ event: ChangeRecord) -> Bool {
            guard event.model == MembershipTriggers.model else { return false }
            switch event.key {
            case .integer(let id): ids[id] = (event.sequence, event.at)
            case .text: addresses[event.key] = (event.sequence, event.at)
            case .null, .real, .blob, .boolean: return false
            }
            return true
        }

        mutating func note(_ id: Int64, _ mark: IdentityMark, _ at: String) {
            ids[id] = (max(mark.number, ids[id]?.number ?? 0), at)
        }

        /// What these users belong to now; one who is not in the table any more is left out.
        func entries(in era: Era, _ db: Database, _ memberships: MembershipReader) throws -> [IdentityFeedEntry] {
            var ids = ids
            for (address, last) in addresses {
                let id = try db.first("SELECT _id FROM rolecall_user WHERE email = ?", [address]) {
                    $0.integer(0)
                }
                guard let id, ids[id].map({ $0.number < last.number }) ?? true else { continue }
                ids[id] = last
            }
            var entries: [IdentityFeedEntry] = []
            for (id, last) in ids.sorted(by: { $0.value.number < $1.value.number }) {
                let email = try db.first("SELECT email FROM rolecall_user WHERE _id = ?", [.integer(id)]) { $0.text(0) }
                guard let email else { continue }
                entries.append(
                    IdentityFeedEntry(
                        mark: IdentityMark(era: era, number: last.number),
                        subject: .memberships(
                            try memberships.memberships(ofUser: id, email: email, in: db), ofUser: id),
                        at: last.at))
            }
            return entries
        }
    }

    private static func entry(_ event: ChangeRecord, era: Era) -> IdentityFeedEntry? {
        let subject: IdentityFeedEntry.Subject
        switch (event.model, event.key) {
        case (SessionTriggers.model, .text(let id)): subject = .sessionEnded(id)
        case (ModelName.user, .integer(let id)): subject = .user(id, event.after.flatMap(IdentityRecord.init))
        default: return nil
        }
        return IdentityFeedEntry(
            mark: IdentityMark(era: era, number: event.sequence), subject: subject, at: event.at)
    }
}
