import GRDB
import ModelStore
import RolecallProtocol

extension SQLiteTransaction {
    func session(id: String) throws -> SessionRecord? {
        try mapped {
            try db.first("\(Session.query) WHERE id = ?", [.text(id)], read: SessionRecord.init)
        }
    }

    func sessions(ofUser id: Int64) throws -> [SessionRecord] {
        try mapped {
            var sessions: [SessionRecord] = []
            try db.query("\(Session.query) WHERE user = ? ORDER BY created_at DESC, id", [.integer(id)]) { row in
                sessions.append(SessionRecord(row))
                return true
            }
            return sessions
        }
    }
}

extension SQLiteWriteTransaction {
    func insertSession(_ session: SessionRecord) throws {
        try mapped {
            try db.run(
                "INSERT INTO rolecall_session(\(Session.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    .text(session.id), .integer(session.user), .moment(session.createdAt), .moment(session.expiresAt),
                    .moment(session.revokedAt), .moment(session.lastUsedAt), session.address.map(Value.text) ?? .null,
                    session.agent.map(Value.text) ?? .null,
                ])
        }
    }

    @discardableResult
    func revokeSession(id: String, at moment: Timestamp) throws -> Bool {
        try mapped {
            try db.first(
                "UPDATE rolecall_session SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL RETURNING 1",
                [.moment(moment), .text(id)], read: { _ in true }) ?? false
        }
    }

    @discardableResult
    func revokeSessions(ofUser id: Int64, at moment: Timestamp) throws -> Int {
        try mapped {
            var count = 0
            try db.query(
                """
                UPDATE rolecall_session SET revoked_at = ? WHERE user = ? AND revoked_at IS NULL AND expires_at > ? \
                RETURNING 1
                """, [.moment(moment), .integer(id), .moment(moment)]
            ) { _ in
                count += 1
                return true
            }
            return count
        }
    }

    @discardableResult
    func touchSession(id: String, at moment: Timestamp) throws -> Bool {
        let latest = Timestamp(milliseconds: moment.milliseconds - SessionRecord.touchInterval)
        return try mapped {
            try db.first(
                """
                UPDATE rolecall_session SET last_used_at = ? WHERE id = ? AND revoked_at IS NULL \
                AND (last_used_at IS NULL OR last_used_at <= ?) RETURNING 1
                """, [.moment(moment), .text(id), .moment(latest)], read: { _ in true }) ?? false
        }
    }

    @discardableResult
    func extendSession(id: String, expiresAt: Timestamp) throws -> Bool {
        try mapped {
            try db.first(
                """
                UPDATE rolecall_session SET expires_at = max(expires_at, ?) WHERE id = ? AND revoked_at IS NULL \
                RETURNING 1
                """, [.moment(expiresAt), .text(id)], read: { _ in true }) ?? false
        }
    }

    func pruneSessions(expiredBefore moment: Timestamp) throws {
        try mapped {
            try db.run("DELETE FROM rolecall_session WHERE expires_at < ?", [.moment(moment)])
        }
    }
}

private enum Session {
    static let columns = "id, user, created_at, expires_at, revoked_at, last_used_at, address, agent"
    static let query = "SELECT \(columns) FROM rolecall_session"
}

extension Value {
    fileprivate static func moment(_ moment: Timestamp?) -> Value {
        moment.map { .integer($0.milliseconds) } ?? .null
    }
}

extension SessionRecord {
    fileprivate init(_ row: StatementRow) {
        func moment(_ column: Int) -> Timestamp? {
            row.isNull(column) ? nil : Timestamp(milliseconds: row.integer(column))
        }
        func text(_ column: Int) -> String? { row.isNull(column) ? nil : row.text(column) }
        self.init(
            id: row.text(0), user: row.integer(1), createdAt: Timestamp(milliseconds: row.integer(2)),
            expiresAt: Timestamp(milliseconds: row.integer(3)), revokedAt: moment(4), lastUsedAt: moment(5),
            address: text(6), agent: text(7))
    }
}
