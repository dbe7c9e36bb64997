import GRDB
import ModelStore

/// The name that the contract gives to every model's key.
let keyColumnName = "_id"

/// Tables of the store itself, which can't be models: their changes are not told, or are the telling.
private let ownTables: Set<String> = [
    "rolecall_meta", "rolecall_session", "rolecall_events", "rolecall_context", "rolecall_displaced",
]

extension ModelTable {
    /// Looks up what a declaration names.
    ///
    /// - Throws: ``StoreError/unusable(_:)`` where the table can't be a model, with the reason.
    init(_ declaration: ModelDeclaration, in db: Database) throws {
        let table = try ModelTable.checkedTable(of: declaration, in: db)
        let columns = try TableColumn.all(of: table.name, in: db)
        let secrets = try ModelTable.secrets(of: declaration, table: table.name, columns: columns)
        let keys = columns.filter { $0.primaryKeyPosition > 0 }
        guard let key = keys.first, keys.count == 1 else {
            throw declaration.unusable(
                keys.isEmpty
                    ? "has no primary key: Rolecall needs one column that names a row"
                    : "has a primary key of \(keys.count) columns: Rolecall needs one column that names a row")
        }
        if secrets.contains(key.name) {
            throw declaration.unusable("names its rows by column \(key.name), which therefore can't be secret")
        }
        for column in columns where column.name.lowercased() == keyColumnName && column.name != key.name {
            throw declaration.unusable(
                "has a column \(column.name) beside its key \(key.name), which is told as \(keyColumnName)")
        }

        uniqueIndexes = try UniqueIndex.all(of: table.name, in: db)
        // `INTEGER PRIMARY KEY DESC` is no row number, for historical reasons, and has an index like other keys.
        let isKeyRowID = !table.isWithoutRowID && key.isInteger && !uniqueIndexes.contains(where: \.isPrimaryKey)
        self.isKeyRowID = isKeyRowID
        let fields = columns.filter { !secrets.contains($0.name) }.map { column in
            column.field(isKey: column.name == key.name, isRowID: column.name == key.name && isKeyRowID)
        }
        guard let keyField = fields.first(where: { $0.name == key.name }) else {
            throw declaration.unusable("has no key")
        }
        self.key = keyField
        self.fields = fields
        self.secrets = columns.map(\.name).filter(secrets.contains)
        sources = columns.map { column in
            Source(name: column.name, literalDefault: column.literalDefault, isNotNull: column.isNotNull)
        }
        if isKeyRowID { uniqueIndexes.insert(UniqueIndex(rowID: key.name), at: 0) }
        references = try ModelTable.references(of: table.name, in: db)
        model = Model(
            name: declaration.name, path: declaration.path, table: table.name, key: keyField.column,
            columns: fields.map(\.column))
    }

    private static func checkedTable(
        of declaration: ModelDeclaration, in db: Database
    ) throws -> (name: String, isWithoutRowID: Bool) {
        if declaration.name.isEmpty || declaration.name.contains(":") {
            throw StoreError.unusable(
                "A model can't be called \"\(declaration.name)\": a name has one character or more, and no colon.")
        }
        guard !ownTables.contains(declaration.table.lowercased()) else {
            throw declaration.unusable("is Rolecall's own and can't be a model")
        }
        // table_list knows what sqlite_master does not: shadow tables, and whether there is a rowid.
        let found = try db.first(
            "SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE",
            [.text(declaration.table)]
        ) { (name: $0.text(0), type: $0.text(1), isWithoutRowID: $0.integer(2) != 0) }
        guard let found else {
            throw declaration.unusable("does not exist: create it, or correct the model's table")
        }
        guard found.type == "table" else {
            throw declaration.unusable("is a \(found.type): only ordinary tables can tell their changes")
        }
        return (found.name, found.isWithoutRowID)
    }

    /// The secret columns by their names in the table. SQLite's names have no case, and one that is misspelt would
    /// tell what it was meant to hide.
    private static func secrets(
        of declaration: ModelDeclaration, table: String, columns: [TableColumn]
    ) throws -> Set<String> {
        var declared = declaration.secret
        if table == "rolecall_user" { declared.insert("password") }
        return try Set(
            declared.map { name in
                guard let column = columns.first(where: { $0.name.lowercased() == name.lowercased() }) else {
                    throw declaration.unusable("has no column \(name), which is declared secret")
                }
                return column.name
            })
    }

    private static func references(of table: String, in db: Database) throws -> [String] {
        var names: [String] = []
        try db.query("SELECT \"from\" FROM pragma_foreign_key_list(?)", [.text(table)]) { row in
            names.append(row.text(0))
            return true
        }
        return names
    }
}

extension ModelDeclaration {
    /// A sentence about the model's table.
    fileprivate func unusable(_ rest: String) -> StoreError {
        .unusable("The table \(table) of model \(name) \(rest).")
    }
}

/// A line of `PRAGMA table_xinfo`.
private struct TableColumn {
    var name: String
    var type: String
    var isNotNull: Bool
    var defaultValue: String?
    /// From 1; 0 for a column outside the key.
    var primaryKeyPosition: Int64
    var isGenerated: Bool

    static func all(of table: String, in db: Database) throws -> [TableColumn] {
        var columns: [TableColumn] = []
        try db.query(
            "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid",
            [.text(table)]
        ) { row in
            // 1 marks the hidden columns of virtual tables; 2 and 3 are generated ones.
            if row.integer(5) != 1 {
                columns.append(
                    TableColumn(
                        name: row.text(0), type: row.text(1).uppercased(), isNotNull: row.integer(2) != 0,
                        defaultValue: row.isNull(3) ? nil : row.text(3), primaryKeyPosition: row.integer(4),
                        isGenerated: row.integer(5) > 1))
            }
            return true
        }
        return columns
    }

    /// Exactly this type makes a single key the row's number; `INT` does not.
    var isInteger: Bool { type == "INTEGER" }

    /// As SQLite reads a declared type (its documentation, "Determination Of Column Affinity"), with BOOLEAN told
    /// apart. What has numeric affinity takes anything.
    private var kind: ModelStore.Column.Kind {
        if type.hasPrefix("BOOL") { return .boolean }
        if type.contains("INT") { return .integer }
        if type.contains("CHAR") || type.contains("CLOB") || type.contains("TEXT") { return .text }
        if type.contains("BLOB") { return .blob }
        if type.contains("REAL") || type.contains("FLOA") || type.contains("DOUB") { return .real }
        return .any
    }

    func field(isKey: Bool, isRowID: Bool) -> ModelTable.Field {
        let column = ModelStore.Column(
            name: isKey ? keyColumnName : name, kind: kind,
            isRequired: (isNotNull || isKey) && defaultValue == nil && !isGenerated && !isRowID,
            isNullable: !isNotNull && !isKey)
        return ModelTable.Field(name: name, column: column, isGenerated: isGenerated)
    }

    /// The default, where it is a literal that means the same in any statement.
    var literalDefault: String? {
        guard let defaultValue else { return nil }
        let isText =
            defaultValue.count >= 2 && defaultValue.hasPrefix("'") && defaultValue.hasSuffix("'")
            && !defaultValue.dropFirst().dropLast().replacing("''", with: "").contains("'")
        let isNumber =
            defaultValue.unicodeScalars.allSatisfy { "0123456789.eE+-".unicodeScalars.contains($0) }
            && Double(defaultValue) != nil
        return isText || isNumber ? defaultValue : nil
    }
}
