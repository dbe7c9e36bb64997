import GRDB
import ModelStore

extension SQLiteDatabaseStore {
    /// What stands in a database that has yet to be made: nothing.
    public static func emptySchema(path: String) -> DatabaseSchema {
        SchemaReader.schema(named: path, tables: [])
    }
}

/// Reads what stands in a database, for authors of configurations.
enum SchemaReader {
    static func schema(named name: String, in db: Database) throws -> DatabaseSchema {
        var found: [Entry] = []
        try db.query(
            "SELECT name, type, strict FROM pragma_table_list WHERE schema = 'main' ORDER BY name COLLATE NOCASE"
        ) { row in
            let entry = Entry(name: row.text(0), type: row.text(1), isStrict: row.integer(2) != 0)
            if !entry.name.lowercased().hasPrefix("sqlite_") { found.append(entry) }
            return true
        }
        return schema(named: name, tables: try found.map { try table($0, in: db) })
    }

    /// Names of tables and columns have no case in SQLite, as far as A to Z go.
    fileprivate static func schema(named name: String, tables: [DatabaseSchema.Table]) -> DatabaseSchema {
        DatabaseSchema(
            name: name, storeURL: "sqlite:\(name)", nameComparison: .ignoringASCIICase, tables: tables)
    }

    /// A line of `PRAGMA table_list`.
    private struct Entry {
        var name: String
        var type: String
        var isStrict: Bool

        var isOwn: Bool { name.lowercased().hasPrefix("rolecall_") }

        /// Triggers can be put on ordinary tables only.
        var obstacle: String? {
            switch type {
            case "view": "is a view; name the table that it shows"
            case "virtual": "is a virtual table; only ordinary ones can tell their changes"
            case "shadow": "belongs to a virtual table; only ordinary ones can tell their changes"
            default: nil
            }
        }
    }

    private static func table(_ entry: Entry, in db: Database) throws -> DatabaseSchema.Table {
        let obstacle = entry.obstacle
        let columns: [TableColumn]
        do {
            columns = try TableColumn.all(of: entry.name, in: db)
        } catch is DatabaseError where obstacle != nil {
            // A view of something that is gone, or a virtual table without its module.
            return DatabaseSchema.Table(
                name: entry.name, isOwn: entry.isOwn, obstacle: obstacle, columns: [], primaryKey: [])
        }
        let primary = columns.filter { $0.primaryKeyPosition > 0 }.sorted {
            $0.primaryKeyPosition < $1.primaryKeyPosition
        }
        let required = Set(columns.filter { $0.isNotNull || $0.primaryKeyPosition > 0 }.map(\.name))
        let others = obstacle == nil ? try UniqueIndex.all(of: entry.name, in: db) : []
        return DatabaseSchema.Table(
            name: entry.name, isOwn: entry.isOwn, obstacle: obstacle,
            columns: columns.map { column in
                DatabaseSchema.Column(
                    name: column.name, kind: column.kind,
                    takesOtherKinds: column.takesOtherKinds(inStrictTable: entry.isStrict),
                    declaredType: column.declaredType,
                    isNullable: !column.isNotNull && column.primaryKeyPosition == 0, isGenerated: column.isGenerated)
            },
            primaryKey: primary.map(\.name),
            otherKeys: others.filter { !$0.isPrimaryKey }.compactMap(\.columns).filter { required.isSuperset(of: $0) },
            references: obstacle == nil ? try references(of: entry.name, in: db) : [:],
            searchable: obstacle == nil ? try searchable(primary, of: entry.name, in: db) : [])
    }

    private static func references(of table: String, in db: Database) throws -> [String: String] {
        var columns: [Int64: [(column: String, table: String)]] = [:]
        try db.query("SELECT id, \"from\", \"table\" FROM pragma_foreign_key_list(?)", [.text(table)]) { row in
            columns[row.integer(0), default: []].append((row.text(1), row.text(2)))
            return true
        }
        return Dictionary(
            columns.values.filter { $0.count == 1 }.flatMap { $0 }.map { ($0.column, $0.table) },
            uniquingKeysWith: { first, _ in first })
    }

    /// - Parameter primary: the primary key's columns.
    private static func searchable(
        _ primary: [TableColumn], of table: String, in db: Database
    ) throws -> Set<DatabaseSchema.IndexedColumn> {
        var columns: Set<DatabaseSchema.IndexedColumn> = []
        // The row's number needs no index.
        if primary.count == 1, primary[0].isInteger {
            columns.insert(DatabaseSchema.IndexedColumn(name: primary[0].name, ignoresCase: false))
        }
        try db.query(
            """
            SELECT x.name, x.coll FROM pragma_index_list(?) AS i, pragma_index_xinfo(i.name) AS x \
            WHERE NOT i.partial AND x.seqno = 0 AND x.cid >= 0
            """, [.text(table)]
        ) { row in
            columns.insert(
                DatabaseSchema.IndexedColumn(name: row.text(0), ignoresCase: row.text(1).uppercased() == "NOCASE"))
            return true
        }
        return columns
    }
}
