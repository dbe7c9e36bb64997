import ModelStore

/// The triggers that tell a model's changes: they append to the log in the transaction of the write, whoever writes.
///
/// They change nothing of the write that fires them, and nothing in them can fail. What they promise is that the
/// log, folded by key, equals the table:
/// - **A new key** is a creation, a key that goes a removal, and a key that changes is both.
/// - **A row displaced by REPLACE** is told as removed, or, where the new row has its key, as the state before the
///   update. SQLite fires no trigger for such a row unless `recursive_triggers` is on (then it is a removal and a
///   creation). So, before a write, the rows that stand in its way on any unique index are noted in
///   `rolecall_displaced`, and after it those that are gone are told. A row that stays, because the write was
///   ignored or became an update, is not told; its note stays for a while, and stays true, since updates and
///   removals keep it so.
/// - **What a table's own triggers do** to the row meanwhile does not confuse the log, in whatever order they fire: a
///   row is told as it stands in the table, not as the statement meant it, and a removal only if the key is gone.
/// - **A change of secret columns alone** is not told.
///
/// One case is left: a row that a BEFORE trigger of the table's owner inserts, and that the very statement which fired
/// it then displaces, is not told as removed.
struct CaptureTriggers {
    let table: ModelTable
    private let image: RowImage
    private let candidates: ConflictCandidates

    init(table: ModelTable) {
        self.table = table
        image = RowImage(table: table)
        candidates = ConflictCandidates(table: table)
    }

    /// Each trigger's name and the statement that makes it, as SQLite keeps it.
    var statements: [(name: String, sql: String)] {
        [
            trigger("before_insert", "BEFORE INSERT", when: candidates.exist(for: .insert), noting(for: .insert)),
            trigger("after_insert", "AFTER INSERT", afterInsert),
            trigger("before_update", "BEFORE UPDATE", when: candidates.exist(for: .update), noting(for: .update)),
            trigger("after_update", "AFTER UPDATE", afterUpdate),
            trigger("after_delete", "AFTER DELETE", afterDelete),
        ]
    }

    private func trigger(
        _ suffix: String, _ event: String, when condition: String? = nil, _ statements: [String]
    ) -> (name: String, sql: String) {
        let name = "rolecall_\(table.model.name)_\(suffix)"
        let guarded = condition.map { " WHEN \($0)" } ?? ""
        let body = statements.map { "  \($0);\n" }.joined()
        return (
            name,
            "CREATE TRIGGER \(SQL.name(name)) \(event) ON \(table.table) FOR EACH ROW\(guarded) BEGIN\n\(body)END"
        )
    }

    // MARK: - Parts

    private var model: String { SQL.text(table.model.name) }
    private var newKey: String { image.key(of: "NEW") }
    private var oldKey: String { image.key(of: "OLD") }

    /// Whether a row with the key of `row` stands in the table now. The first condition can use an index, the second
    /// is exact: a key with a collation can equal another one that is not the same.
    private func stands(_ key: String, text: String) -> String {
        "EXISTS (SELECT 1 FROM \(table.table) AS t WHERE \(isRow("t", key, text: text)))"
    }

    private func isRow(_ row: String, _ key: String, text: String) -> String {
        let found = "\(row).\(table.keyName) = \(key)"
        return table.isKeyRowID ? found : "\(found) AND \(image.key(of: row)) = \(text)"
    }

    /// The end of every statement that appends to the log. The actor is known only inside the server's own
    /// transactions; see `rolecall_context`.
    private static let actorAndTime =
        "(SELECT actor FROM rolecall_context LIMIT 1), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

    private static let append =
        #"INSERT INTO rolecall_events(model, op, "key", "before", "after", actor, at) SELECT"#

    /// Notes the rows that the write may displace. Only the newest notes are kept, far more than a statement with all
    /// that its triggers do can need.
    private func noting(for write: ConflictCandidates.Write) -> [String] {
        let rows = candidates.select("\(image.key(of: "t"))", for: write)
        let notes = candidates.select(
            "\(model), t.\(table.keyName), \(image.key(of: "t")), \(image.image(of: "t"))", for: write)
        return [
            "DELETE FROM rolecall_displaced WHERE model = \(model) AND key_text IN (\(rows))",
            #"INSERT INTO rolecall_displaced(model, "key", key_text, image) \#(notes)"#,
            "DELETE FROM rolecall_displaced WHERE id <= (SELECT max(id) FROM rolecall_displaced) - 256",
        ]
    }

    /// Tells the noted rows that have gone, other than one with the key of the new row.
    private var tellDisplaced: String {
        """
        \(Self.append) \(model), 'removed', d.key_text, d.image, NULL, \(Self.actorAndTime) \
        FROM rolecall_displaced AS d WHERE d.model = \(model) AND d.key_text IS NOT \(newKey) \
        AND NOT \(stands("d.\"key\"", text: "d.key_text")) ORDER BY d.id
        """
    }

    /// Forgets the notes that have been told, and further ones by condition.
    private func forgetDisplaced(_ condition: String) -> String {
        """
        DELETE FROM rolecall_displaced WHERE model = \(model) AND (\(condition) \
        OR NOT \(stands("rolecall_displaced.\"key\"", text: "rolecall_displaced.key_text")))
        """
    }

    /// The noted image of a row that had the new row's key.
    private var displacedImage: String {
        "(SELECT image FROM rolecall_displaced WHERE model = \(model) AND key_text = \(newKey) ORDER BY id DESC LIMIT 1)"
    }

    /// Tells the new row as it stands. A row without a key can't be named and is not told.
    private func tellNew(before: String, unless condition: String? = nil) -> String {
        let excepted = condition.map { " AND NOT (\($0))" } ?? ""
        return """
            \(Self.append) \(model), CASE WHEN b.image IS NULL THEN 'created' ELSE 'updated' END, \(newKey), b.image, \
            \(image.image(of: "t")), \(Self.actorAndTime) \
            FROM \(table.table) AS t, (SELECT \(before) AS image) AS b \
            WHERE \(isRow("t", "NEW.\(table.keyName)", text: newKey))\(excepted)
            """
    }

    /// Tells that the old row is gone, if it is.
    private func tellOld(if condition: String? = nil) -> String {
        let restricted = condition.map { "\($0) AND " } ?? ""
        return """
            \(Self.append) \(model), 'removed', \(oldKey), \(image.image(of: "OLD")), NULL, \(Self.actorAndTime) \
            WHERE \(restricted)OLD.\(table.keyName) IS NOT NULL \
            AND NOT \(stands("OLD.\(table.keyName)", text: oldKey))
            """
    }

    // MARK: - Bodies

    private var afterInsert: [String] {
        [tellDisplaced, tellNew(before: displacedImage), forgetDisplaced("key_text = \(newKey)")]
    }

    private var afterUpdate: [String] {
        let isSameRow = "\(oldKey) IS \(newKey)"
        let oldImage = "CASE WHEN OLD.\(table.keyName) IS NOT NULL THEN \(image.image(of: "OLD")) END"
        return [
            // The old row itself was not displaced, even if a write that became this update has noted it.
            "DELETE FROM rolecall_displaced WHERE model = \(model) AND key_text = \(oldKey) AND \(oldKey) IS NOT \(newKey)",
            tellDisplaced,
            tellOld(if: "\(oldKey) IS NOT \(newKey)"),
            tellNew(
                before: "CASE WHEN \(isSameRow) THEN \(oldImage) ELSE \(displacedImage) END",
                unless: onlySecretsDiffer),
            forgetDisplaced("key_text = \(newKey) AND \(oldKey) IS NOT \(newKey)"),
            """
            UPDATE rolecall_displaced SET image = \
            (SELECT \(image.image(of: "t")) FROM \(table.table) AS t \
            WHERE \(isRow("t", "NEW.\(table.keyName)", text: newKey))) \
            WHERE model = \(model) AND key_text = \(newKey)
            """,
        ]
    }

    private var afterDelete: [String] {
        ["DELETE FROM rolecall_displaced WHERE model = \(model) AND key_text = \(oldKey)", tellOld()]
    }

    /// Holds for an update that changed secret columns and nothing that is told.
    private var onlySecretsDiffer: String? {
        guard !table.secrets.isEmpty else { return nil }
        let differ = table.secrets.map { secret in
            "OLD.\(SQL.name(secret)) IS NOT NEW.\(SQL.name(secret)) COLLATE BINARY"
        }
        return "(\(differ.joined(separator: " OR "))) AND \(image.image(of: "OLD")) IS \(image.image(of: "t"))"
    }
}
