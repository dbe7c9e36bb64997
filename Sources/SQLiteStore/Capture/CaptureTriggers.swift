import ModelStore

/// The triggers that tell a model's changes: they append to the log in the transaction of every write.
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
/// Some things are other for a program whose table has triggers, whichever they are. An INSERT of several rows, of which
/// one has no integer for a row number, is undone whole, as SQLite promises; without any trigger SQLite leaves the rows
/// before that one. And where a program sets `recursive_triggers`, an UPDATE OR REPLACE that displaces rows can fail,
/// of a table with a partial unique index for example, because SQLite (3.40) then finds a row in its own way. And an
/// UPDATE can take its rows in another order, which shows where OR FAIL stops it in the middle, or where its rows stand in
/// each other's way and IGNORE or REPLACE decides between them.
///
/// SQLite drops no column that a trigger names: ALTER TABLE ... DROP COLUMN works after the model was detached. A table
/// that is rebuilt can leave out whatever it likes.
///
/// What is left, all of it far from ordinary use:
/// - A row that a BEFORE trigger of the table's owner inserts, and that the very statement which fired it then
///   displaces, is not told as removed.
/// - Nor is a row that is displaced because REPLACE puts a column's default in place of a NULL, where that default is
///   no plain literal, or where the index is on a column computed from it.
/// - What a BEFORE trigger that is not in the database, but TEMP in another program, writes into the very row that fires
///   it, is told behind its back: as the state before stands what was before the trigger.
/// - Where a foreign key is declared with another type than the column that it refers to, SQLite itself can give triggers
///   a removed row with that column's value turned into the other type: `0` for `'0'`. Then a key that is one column of
///   such a pair is told so, too.
/// - A write with OR FAIL that stops because a trigger of the table's owner fails, after the row was written and
///   before the trigger here has fired, leaves a row that is not told.
struct CaptureTriggers {
    let table: ModelTable
    private let image: RowImage
    private let candidates: ConflictCandidates

    init(table: ModelTable) {
        self.table = table
        image = RowImage(table: table)
        candidates = ConflictCandidates(shape: table.shape)
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

    /// The names of a model's triggers.
    static func names(of model: String) -> [String] {
        ["before_insert", "after_insert", "before_update", "after_update", "after_delete"].map {
            "rolecall_\(model)_\($0)"
        }
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
    private var oldKey: Key { key(in: "OLD") }
    private var newKey: Key { key(in: "NEW") }
    private var keyChanges: String { "NOT \(areSame(oldKey, newKey))" }

    /// The columns of a key, as expressions.
    private typealias Key = [String]

    private func key(in row: String) -> Key {
        table.keyNames.map { "\(row).\($0)" }
    }

    /// The key of a note.
    ///
    /// - Parameter row: `rolecall_displaced` or an alias of it.
    private func noted(in row: String) -> Key {
        table.keys.indices.map { "\(row).\(StoreSchema.displacedKey($0))" }
    }

    /// Whether two keys are one to those who are told. That is stricter than the table: by a collation, or as integer
    /// and real, keys can be equal that are different on the wire.
    private func areSame(_ one: Key, _ other: Key) -> String {
        let same = zip(one, other).map { one, other in
            table.isKeyRowID
                ? "\(one) IS \(other)" : "(\(one) IS \(other) COLLATE BINARY AND typeof(\(one)) = typeof(\(other)))"
        }
        return same.count == 1 ? same[0] : "(\(same.joined(separator: " AND ")))"
    }

    /// Whether the row `t` of the table has a key. The first condition can use the index, the second is exact.
    private func isRow(_ key: Key) -> String {
        let isFound = zip(self.key(in: "t"), key).map { "\($0) = \($1)" }.joined(separator: " AND ")
        return table.isKeyRowID ? isFound : "\(isFound) AND \(areSame(self.key(in: "t"), key))"
    }

    /// Whether a key names a row.
    private func names(_ key: Key) -> String {
        key.map { "\($0) IS NOT NULL" }.joined(separator: " AND ")
    }

    /// Whether a row with a key stands in the table now.
    private func stands(_ key: Key) -> String {
        "EXISTS (SELECT 1 FROM \(table.table) AS t WHERE \(isRow(key)))"
    }

    /// Restricts a statement on `rolecall_displaced` to the note of a key.
    private func isNote(of key: Key) -> String {
        "model = \(model) AND \(areSame(noted(in: "rolecall_displaced"), key))"
    }

    private static let append =
        #"INSERT INTO rolecall_events(model, op, "key", "before", "after", actor, at) SELECT"#

    /// Notes the rows that the write may displace. Only the newest notes are kept, far more than a statement with all
    /// that its triggers do can need.
    private func noting(for write: ConflictCandidates.Write) -> [String] {
        let candidates = candidates.keys(for: write)
        let columns = table.keys.indices.map(StoreSchema.displacedKey).joined(separator: ", ")
        let key = key(in: "t").joined(separator: ", ")
        return [
            "DELETE FROM rolecall_displaced WHERE model = \(model) AND \(row(columns)) IN (\(candidates))",
            """
            INSERT INTO rolecall_displaced(model, \(columns), key_text, image) \
            SELECT \(model), \(key), \(image.key(of: "t")), \(image.image(of: "t")) \
            FROM \(table.table) AS t WHERE \(row(key)) IN (\(candidates))
            """,
            "DELETE FROM rolecall_displaced WHERE id <= (SELECT max(id) FROM rolecall_displaced) - 256",
        ]
    }

    /// A list of columns as one value.
    private func row(_ columns: String) -> String { table.hasCompositeKey ? "(\(columns))" : columns }

    /// Tells the noted rows that have gone, other than one with the key of the new row.
    private var tellDisplaced: String {
        """
        \(Self.append) \(model), 'removed', d.key_text, d.image, NULL, \(Self.actorAndTime) \
        FROM rolecall_displaced AS d WHERE d.model = \(model) AND NOT \(areSame(noted(in: "d"), newKey)) \
        AND NOT \(stands(noted(in: "d"))) ORDER BY d.id
        """
    }

    /// Forgets the notes that have been told.
    private var forgetDisplaced: String {
        "DELETE FROM rolecall_displaced WHERE model = \(model) AND NOT \(stands(noted(in: "rolecall_displaced")))"
    }

    /// The noted image of a row that had the new row's key.
    private var displacedImage: String {
        "(SELECT image FROM rolecall_displaced WHERE \(isNote(of: newKey)) ORDER BY id DESC LIMIT 1)"
    }

    /// Tells the new row as it stands. A row without a key can't be named and is not told.
    private func tellNew(before: String, unless condition: String? = nil) -> String {
        let excepted = condition.map { " AND NOT (\($0))" } ?? ""
        return """
            \(Self.append) \(model), CASE WHEN b.image IS NULL THEN 'created' ELSE 'updated' END, \
            \(image.key(of: "t")), b.image, \(image.image(of: "t")), \(Self.actorAndTime) \
            FROM \(table.table) AS t, (SELECT \(before) AS image) AS b WHERE \(isRow(newKey))\(excepted)
            """
    }

    /// The image of the row as it was before the write.
    ///
    /// `OLD` was read before triggers of the table's owner have had their turn. What they have written into the row
    /// meanwhile has been told already, and then the newest event of it says how it was.
    private var oldImage: String {
        let image = image.image(of: "OLD")
        guard table.hasBeforeTriggers else { return image }
        return """
            coalesce((SELECT e."after" FROM rolecall_events AS e \
            WHERE e.seq > (SELECT max(seq) FROM rolecall_events) - \(Self.nearness) \
            AND e.model = \(model) AND e."key" = \(self.image.key(of: "OLD")) ORDER BY e.seq DESC LIMIT 1), \(image))
            """
    }

    /// How many entries of the log are looked through for what triggers of the table's owner have just done.
    private static let nearness = 256

    /// Tells that the old row is gone, if it is.
    private func tellOld(if condition: String? = nil) -> String {
        let restricted = condition.map { "\($0) AND " } ?? ""
        return """
            \(Self.append) \(model), 'removed', \(image.key(of: "OLD")), \(oldImage), NULL, \
            \(Self.actorAndTime) WHERE \(restricted)\(names(oldKey)) AND NOT \(stands(oldKey))
            """
    }

    // MARK: - Bodies

    private var afterInsert: [String] {
        [
            tellDisplaced, tellNew(before: displacedImage), forgetDisplaced,
            "DELETE FROM rolecall_displaced WHERE \(isNote(of: newKey))",
        ]
    }

    private var afterUpdate: [String] {
        [
            // The old row itself was not displaced, even if a write that became this update has noted it.
            "DELETE FROM rolecall_displaced WHERE \(isNote(of: oldKey)) AND \(keyChanges)",
            tellDisplaced,
            tellOld(if: keyChanges),
            tellNew(
                before: """
                    CASE WHEN \(keyChanges) THEN \(displacedImage) WHEN \(names(oldKey)) \
                    THEN \(oldImage) END
                    """,
                unless: onlySecretsDiffer),
            forgetDisplaced,
            "DELETE FROM rolecall_displaced WHERE \(isNote(of: newKey)) AND \(keyChanges)",
            // The row's newest event holds its image.
            """
            UPDATE rolecall_displaced SET image = coalesce((SELECT e."after" FROM rolecall_events AS e \
            WHERE e.seq = (SELECT max(seq) FROM rolecall_events) AND e.model = \(model) \
            AND e."key" = rolecall_displaced.key_text), image) WHERE \(isNote(of: newKey))
            """,
        ]
    }

    private var afterDelete: [String] {
        ["DELETE FROM rolecall_displaced WHERE \(isNote(of: oldKey))", tellOld()]
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
