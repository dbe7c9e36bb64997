import GRDB
import ModelStore

/// The triggers on a table that says who belongs where: whenever a row comes, goes or changes in what it says, an entry
/// of the log names its user.
///
/// An entry says that this user's memberships *may* have changed, and not how: its reader looks at what the table says by
/// then, so that a table which is emptied and filled again in one transaction changes no user. Its model is no model of
/// any policy; only the identity feed shows it. Like those of models, these triggers change nothing of the write that
/// fires them and can't fail.
///
/// REPLACE fires no trigger for a row that it displaces. So, before a write, the users of all rows that stand in its way
/// on any unique index are named, too; where the write is ignored, or becomes an update, that is an entry too many.
struct MembershipTriggers: TriggerSet {
    /// The entry's model. Names that begin so are the store's own.
    static let model = "rolecall_membership"

    static let namePrefix = "rolecall:members_of_"

    private let table: MembershipTable
    private let candidates: ConflictCandidates

    init(table: MembershipTable) {
        self.table = table
        candidates = ConflictCandidates(shape: table.shape)
    }

    var statements: [(name: String, sql: String)] {
        let noting =
            table.shape.uniqueIndexes.isEmpty
            ? []
            : [
                trigger("before_insert", "BEFORE INSERT", when: candidates.exist(for: .insert), displaced(by: .insert)),
                trigger("before_update", "BEFORE UPDATE", when: candidates.exist(for: .update), displaced(by: .update)),
            ]
        return noting + [
            trigger("after_insert", "AFTER INSERT", table.users.map { appending(of: $0, in: "NEW") }),
            trigger(
                "after_update", "AFTER UPDATE", when: changes,
                table.users.flatMap { [appending(of: $0, in: "OLD"), appending(of: $0, in: "NEW", if: differs($0))] }),
            trigger("after_delete", "AFTER DELETE", table.users.map { appending(of: $0, in: "OLD") }),
        ]
    }

    private func trigger(
        _ suffix: String, _ event: String, when condition: String? = nil, _ statements: [String]
    ) -> (name: String, sql: String) {
        // No model's name has a colon, so that no model has triggers of these names.
        let name = "\(Self.namePrefix)\(table.name)_\(suffix)"
        let guarded = condition.map { " WHEN \($0)" } ?? ""
        let body = statements.map { "  \($0);\n" }.joined()
        return (
            name,
            "CREATE TRIGGER \(SQL.name(name)) \(event) ON \(table.shape.table) FOR EACH ROW\(guarded) BEGIN\n\(body)END"
        )
    }

    // MARK: Parts

    private static let append = #"INSERT INTO rolecall_events(model, op, "key", actor, at) SELECT"#

    private func appending(of user: Ownership, in row: String, if condition: String? = nil) -> String {
        let restriction = condition.map { " AND \($0)" } ?? ""
        return """
            \(Self.append) '\(Self.model)', 'updated', \(Self.key(of: user, in: row)), \(Self.actorAndTime) \
            WHERE \(Self.names(user, in: row))\(restriction)
            """
    }

    private func displaced(by write: ConflictCandidates.Write) -> [String] {
        table.users.map { user in
            let users = candidates.select(
                "\(Self.key(of: user, in: "t")) AS user", for: write, where: Self.names(user, in: "t"))
            return "\(Self.append) '\(Self.model)', 'updated', d.user, \(Self.actorAndTime) FROM (\(users)) AS d"
        }
    }

    /// Whether the row names a user. Blobs, which JSON can't quote, name none.
    private static func names(_ user: Ownership, in row: String) -> String {
        let column = "\(row).\(SQL.name(user.column))"
        return switch user.name {
        case .id: "typeof(\(column)) IN ('integer', 'real') AND \(column) = CAST(\(column) AS INTEGER)"
        case .email: "typeof(\(column)) = 'text'"
        }
    }

    /// The user as JSON: a number for an id, a text for an address.
    private static func key(of user: Ownership, in row: String) -> String {
        let column = "\(row).\(SQL.name(user.column))"
        return switch user.name {
        case .id: "CAST(CAST(\(column) AS INTEGER) AS TEXT)"
        case .email: "json_quote(\(column))"
        }
    }

    private func differs(_ user: Ownership) -> String { Self.differ(user.column) }

    /// Whether an update changes what the row says.
    private var changes: String { table.columns.map(Self.differ).joined(separator: " OR ") }

    private static func differ(_ column: String) -> String {
        let name = SQL.name(column)
        return "(OLD.\(name) IS NOT NEW.\(name) COLLATE BINARY OR typeof(OLD.\(name)) IS NOT typeof(NEW.\(name)))"
    }
}

extension MembershipTriggers {
    func check(in db: Database) throws {
        do {
            try db.compileWrites(of: table.shape.table, column: SQL.name(table.columns[0]))
        } catch let error as DatabaseError {
            throw StoreError.unusable(
                "The table \(table.name) can't tell who belongs where: \(error.message ?? "SQLite \(error.resultCode)")."
            )
        }
    }
}
