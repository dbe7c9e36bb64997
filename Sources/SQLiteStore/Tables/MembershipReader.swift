import GRDB
import Logging
import ModelStore
import Synchronization

/// Reads what users belong to. A table that is gone, or has lost a column, grants nothing.
struct MembershipReader: Sendable {
    let tables: [MembershipTable]
    let logger: Logger
    /// The tables that could not be read, as has been logged.
    private let unreadable = Unreadable()

    private final class Unreadable: Sendable {
        let names = Mutex<Set<String>>([])
    }

    init(tables: [MembershipTable], logger: Logger) {
        self.tables = tables
        self.logger = logger
    }

    /// Whether some table names its users by their addresses.
    var goesByEmail: Bool { tables.contains { $0.users.contains { $0.name == .email } } }

    /// All that a user belongs to.
    func memberships(ofUser id: Int64, email: String, in db: Database) throws -> Memberships {
        guard !tables.isEmpty else { return .none }
        var memberships: [Membership] = []
        for table in tables {
            try reading(table) {
                for source in table.sources {
                    try db.query(Self.query(source), [source.user.name == .id ? .integer(id) : .text(email)]) { row in
                        memberships.append(
                            Membership(
                                name: source.membership, value: row.value(0),
                                roles: source.role == nil ? [] : Membership.roles(in: row.value(1))))
                        return true
                    }
                }
            }
        }
        return Memberships(memberships)
    }

    /// - Throws: ``StoreError/unusable(_:cause:)`` for a table that can't be read.
    func probe(_ db: Database) throws {
        for table in tables {
            let isReadable = try reading(table) {
                for source in table.sources { _ = try db.makeStatement(sql: Self.query(source)) }
            }
            guard isReadable else {
                throw StoreError.unusable(
                    "The table \(table.name) says who belongs where, and is gone or has lost a column: put it back.")
            }
        }
    }

    /// By the value, whatever the column's type would make of it: no index of another collation or affinity is needed.
    private static func query(_ source: MembershipSource) -> String {
        let user = SQL.name(source.user.column)
        let condition =
            switch source.user.name {
            case .id: "\(user) = ?1 AND typeof(\(user)) IN ('integer', 'real')"
            case .email: "\(user) = ?1 COLLATE NOCASE AND typeof(\(user)) = 'text'"
            }
        let role = source.role.map { ", \(SQL.name($0))" } ?? ""
        return """
            SELECT \(SQL.name(source.of))\(role) FROM \(SQL.name(source.table)) \
            WHERE \(condition) AND \(SQL.name(source.of)) IS NOT NULL
            """
    }

    /// - Returns: whether the table could be read.
    @discardableResult
    private func reading(_ table: MembershipTable, _ body: () throws -> Void) throws -> Bool {
        do {
            try body()
            if unreadable.names.withLock({ $0.remove(table.name) }) != nil {
                logger.info("a table of memberships can be read again", metadata: ["table": "\(table.name)"])
            }
            return true
        } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
            // No such table, or no such column.
            if unreadable.names.withLock({ $0.insert(table.name).inserted }) {
                logger.error(
                    "a table of memberships can't be read, and grants nothing",
                    metadata: ["table": "\(table.name)", "error": "\(error.message ?? "SQLite")"])
            }
            return false
        }
    }
}
