import GRDB
import ModelStore
import RolecallProtocol

/// The store's own tables, and the version of them that this program knows.
///
/// | table | what stands in it |
/// | --- | --- |
/// | `rolecall_meta` | this schema's version, the store's id, the log's first era |
/// | `rolecall_era` | the log's eras: place, token, first number, since when |
/// | `rolecall_user`, `rolecall_message` | the models that every server has |
/// | `rolecall_session` | sign-ins; moments are milliseconds since 1970; `address` and `agent` of the sign-in |
/// | `rolecall_events` | the log; `key`, `before` and `after` are JSON texts; ends of sessions: ``SessionTriggers``; changes of memberships: ``MembershipTriggers`` |
/// | `rolecall_model` | what has been attached: a model's name, its table, since when |
/// | `rolecall_members` | the tables of memberships that have been attached, since when |
/// | `rolecall_context` | the actor of the transaction under way; empty for every other connection, always |
/// | `rolecall_displaced` | rows that a write may displace; see ``CaptureTriggers`` |
///
/// The log's columns take anything. A constraint there would be one more way for a trigger to fail.
enum StoreSchema {
    /// The newest version that this program knows. Each is made from the one before by a step of ``steps``.
    static let version = steps.count

    static let steps: [[String]] = [
        [
            """
            CREATE TABLE rolecall_user(_id INTEGER PRIMARY KEY AUTOINCREMENT, \
            email TEXT NOT NULL COLLATE NOCASE UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL, \
            password TEXT NOT NULL, generation INTEGER NOT NULL DEFAULT 0)
            """,
            """
            CREATE TABLE rolecall_message(_id INTEGER PRIMARY KEY AUTOINCREMENT, \
            room TEXT NOT NULL DEFAULT 'lobby', body TEXT NOT NULL, author INTEGER, name TEXT, \
            at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))
            """,
            """
            CREATE TABLE rolecall_session(id TEXT PRIMARY KEY NOT NULL, \
            user INTEGER NOT NULL REFERENCES rolecall_user(_id) ON DELETE CASCADE, \
            created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, revoked_at INTEGER)
            """,
            "CREATE INDEX rolecall_session_by_user ON rolecall_session(user)",
            "CREATE INDEX rolecall_session_by_expiry ON rolecall_session(expires_at)",
            """
            CREATE TABLE rolecall_events(seq INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT, op TEXT, "key" TEXT, \
            "before" TEXT, "after" TEXT, actor TEXT, at TEXT)
            """,
            "CREATE TABLE rolecall_context(id INTEGER PRIMARY KEY CHECK (id = 1), actor TEXT)",
            "CREATE TABLE rolecall_displaced(id INTEGER PRIMARY KEY, model TEXT, \"key\", key_text TEXT, image TEXT)",
        ],
        [
            "ALTER TABLE rolecall_session ADD COLUMN last_used_at INTEGER",
            "ALTER TABLE rolecall_session ADD COLUMN address TEXT",
            "ALTER TABLE rolecall_session ADD COLUMN agent TEXT",
        ] + SessionTriggers.statements(names: SessionTriggers.formerNames) + [IdentityLog.formerIndex],
        (1..<ModelTable.maximumKeyColumns).map {
            "ALTER TABLE rolecall_displaced ADD COLUMN \(displacedKey($0))"
        } + [
            """
            CREATE TABLE rolecall_model(name TEXT PRIMARY KEY NOT NULL, table_name TEXT NOT NULL, \
            attached_at TEXT NOT NULL)
            """,
            "INSERT INTO rolecall_model SELECT *, strftime('%Y-%m-%dT%H:%M:%fZ', 'now') FROM (\(attachedByTriggers))",
        ] + SessionTriggers.formerNames.map { "DROP TRIGGER IF EXISTS \(SQL.name($0))" }
            + SessionTriggers.statements(names: SessionTriggers.names) + [
                "CREATE INDEX rolecall_message_by_room ON rolecall_message(room, _id)"
            ],
        EraTable.creation,
        [
            "DROP INDEX rolecall_events_of_identity", IdentityLog.index,
            "CREATE TABLE rolecall_members(table_name TEXT PRIMARY KEY NOT NULL COLLATE NOCASE, attached_at TEXT NOT NULL)",
        ],
    ]

    /// Selects the models that have triggers, and their tables: what is attached, before that was written down.
    static let attachedByTriggers = """
        SELECT substr(name, 10, length(name) - 22), tbl_name FROM sqlite_master WHERE type = 'trigger' \
        AND name LIKE 'rolecall!_%!_after!_insert' ESCAPE '!'
        """

    /// The column of `rolecall_displaced` for a part of a key, counted from 0.
    static func displacedKey(_ place: Int) -> String {
        place == 0 ? "\"key\"" : "key\(place + 1)"
    }

    /// The version of a database; 0 where Rolecall has never been.
    ///
    /// - Throws: ``StoreError/unusable(_:cause:)`` for a newer one than this program knows.
    static func checkedVersion(of db: Database, path: String) throws -> Int {
        guard
            try db.first("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'rolecall_meta'", read: { _ in })
                != nil
        else { return 0 }
        let found = try db.first("SELECT value FROM rolecall_meta WHERE key = 'schema_version'") { $0.text(0) }
        guard let found, let version = Int(found), version > 0 else {
            throw StoreError.unusable(
                "The database \(path) does not say which version of Rolecall's tables it has: restore a backup.")
        }
        guard version <= Self.version else {
            throw StoreError.unusable(
                """
                The database \(path) has version \(version) of Rolecall's tables and this program knows version \
                \(Self.version): start a newer program, or restore a backup from before the upgrade.
                """)
        }
        return version
    }

    /// Brings the tables to this program's version.
    ///
    /// - Parameter journalMode: the one that a new database has had before; written down so that it can be put back.
    static func migrate(_ db: Database, path: String, journalMode: String? = nil) throws {
        let version = try checkedVersion(of: db, path: path)
        guard version < Self.version else { return }
        if version == 0 {
            try db.run("CREATE TABLE rolecall_meta(key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)")
            try setMeta("log_id", to: Era.random().description, in: db)
            if let journalMode { try setMeta("journal_mode", to: journalMode, in: db) }
        }
        for step in steps[version...] {
            for statement in step { try db.run(statement) }
        }
        try setMeta("schema_version", to: String(Self.version), in: db)
    }

    /// The id that the data keep, and the log's newest era.
    static func identity(of db: Database, path: String) throws -> (store: StoreID, era: Era) {
        let text = try db.first("SELECT value FROM rolecall_meta WHERE key = 'store_id'") { $0.text(0) }
        guard let store = text.flatMap(StoreID.init) else {
            throw StoreError.unusable("The database \(path) has lost its id: restore a backup.")
        }
        return (store, try EraTable.chain(db).newest)
    }

    private static func setMeta(_ key: String, to value: String, in db: Database) throws {
        try db.run("INSERT OR REPLACE INTO rolecall_meta(key, value) VALUES (?, ?)", [.text(key), .text(value)])
    }
}
