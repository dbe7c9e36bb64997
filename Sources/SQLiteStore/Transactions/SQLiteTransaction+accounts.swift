import GRDB
import ModelStore
import RolecallProtocol

extension SQLiteTransaction {
    func user(id: Int64) throws -> UserRecord? {
        try mapped { try db.first(userQuery("WHERE _id = ?"), [.integer(id)], read: UserRecord.init) }
    }

    func user(email: String) throws -> UserRecord? {
        // The column's own collation makes it blind to case.
        try mapped { try db.first(userQuery("WHERE email = ?"), [.text(email)], read: UserRecord.init) }
    }

    func users() throws -> [UserRecord] {
        try mapped {
            var users: [UserRecord] = []
            try db.query(userQuery("ORDER BY _id")) { row in
                users.append(UserRecord(row))
                return true
            }
            return users
        }
    }

    func userCount(role: String) throws -> Int {
        try mapped {
            Int(
                try db.first("SELECT count(*) FROM rolecall_user WHERE role = ?", [.text(role)]) { $0.integer(0) } ?? 0)
        }
    }

    private func userQuery(_ rest: String) -> String {
        "SELECT _id, email, name, role, password, generation FROM rolecall_user \(rest)"
    }
}

extension SQLiteWriteTransaction {
    func insertUser(email: String, name: String, role: String, password: String) throws -> UserRecord {
        try mapped(userTable) {
            let user = try db.first(
                """
                INSERT INTO rolecall_user(email, name, role, password) VALUES (?, ?, ?, ?) \
                RETURNING _id, email, name, role, password, generation
                """, [.text(email), .text(name), .text(role), .text(password)], read: UserRecord.init)
            guard let user else { throw StoreError.invalid("The database has not kept the user.", column: nil) }
            return user
        }
    }

    func setRole(_ role: String, ofUser id: Int64) throws {
        try mapped(userTable) {
            try db.run("UPDATE rolecall_user SET role = ? WHERE _id = ?", [.text(role), .integer(id)])
        }
    }

    func setPassword(_ hash: String, ofUser id: Int64) throws {
        try mapped(userTable) {
            try db.run(
                "UPDATE rolecall_user SET password = ?, generation = generation + 1 WHERE _id = ?",
                [.text(hash), .integer(id)])
        }
    }

    func voidTokens(ofUser id: Int64) throws {
        try mapped(userTable) {
            try db.run("UPDATE rolecall_user SET generation = generation + 1 WHERE _id = ?", [.integer(id)])
        }
    }

    func upgradePassword(_ hash: String, ofUser id: Int64) throws {
        try mapped(userTable) {
            try db.run("UPDATE rolecall_user SET password = ? WHERE _id = ?", [.text(hash), .integer(id)])
        }
    }

    func removeUser(id: Int64) throws {
        try mapped(userTable) { try db.run("DELETE FROM rolecall_user WHERE _id = ?", [.integer(id)]) }
    }

    func updateUser(id: Int64, name: String?, email: String?) throws -> UserRecord? {
        try mapped(userTable) {
            try db.first(
                """
                UPDATE rolecall_user SET name = coalesce(?, name), email = coalesce(?, email) WHERE _id = ? \
                RETURNING _id, email, name, role, password, generation
                """,
                [name.map(Value.text) ?? .null, email.map(Value.text) ?? .null, .integer(id)], read: UserRecord.init)
        }
    }

    /// For the names in an error's sentence.
    private var userTable: ModelTable? {
        tables.values.first { $0.model.table == "rolecall_user" }
    }
}

extension UserRecord {
    fileprivate init(_ row: StatementRow) {
        self.init(
            id: row.integer(0), email: row.text(1), name: row.text(2), role: row.text(3), password: row.text(4),
            generation: row.integer(5))
    }
}
