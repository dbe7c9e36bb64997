import GRDB
import ModelStore

/// Reads what stands in a database, for those who write configurations.
enum SchemaReader {
    static func schema(named name: String, in db: Database) throws -> DatabaseSchema {
        var found: [(name: String, type: String)] = []
        try db.query("SELECT name, type FROM pragma_table_list WHERE schema = 'main' ORDER BY name COLLATE NOCASE") {
            row in
            let name = row.text(0)
            let isHidden =
                name.lowercased().hasPrefix("sqlite_")
                || name.lowercased().hasPrefix("rolecall_") && !shown.contains(name.lowercased())
            if !isHidden { found.append((name, row.text(1))) }
            return true
        }
        return DatabaseSchema(name: name, tables: try found.map { try table($0.name, $0.type, in: db) })
    }

    /// Those of the store's own tables that are models.
    private static let shown: Set<String> = ["rolecall_user", "rolecall_message"]

    private static func table(_ name: String, _ type: String, in db: Database) throws -> DatabaseSchema.Table {
        let kind = DatabaseSchema.Table.Kind(rawValue: type) ?? .table
        let columns: [TableColumn]
        do {
            columns = try TableColumn.all(of: name, in: db)
        } catch is DatabaseError where kind != .table {
            // A view of something that is gone, or a virtual table without its module.
            return DatabaseSchema.Table(name: name, kind: kind, columns: [], primaryKey: [])
        }
        let primary = columns.filter { $0.primaryKeyPosition > 0 }.sorted {
            $0.primaryKeyPosition < $1.primaryKeyPosition
        }
        let required = Set(columns.filter { $0.isNotNull || $0.primaryKeyPosition > 0 }.map(\.name))
        let others = kind == .table ? try UniqueIndex.all(of: name, in: db) : []
        return DatabaseSchema.Table(
            name: name, kind: kind,
            columns: columns.map { column in
                DatabaseSchema.Column(
                    name: column.name, kind: column.kind, declaredType: column.declaredType,
                    isNullable: !column.isNotNull && column.primaryKeyPosition == 0, isGenerated: column.isGenerated)
            },
            primaryKey: primary.map(\.name),
            otherKeys: others.filter { !$0.isPrimaryKey }.compactMap(\.columns).filter { required.isSuperset(of: $0) })
    }
}
