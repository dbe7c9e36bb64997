import GRDB
import ModelStore

/// The name that the contract gives to every model's key.
let keyColumnName = "_id"

/// Tables of the store itself, which can't be models: their changes are not told, or are the telling.
private let ownTables: Set<String> = [
    "rolecall_meta", "rolecall_session", "rolecall_events", "rolecall_context", "rolecall_displaced", "rolecall_model",
    "rolecall_era", "rolecall_members",
]

extension ModelTable {
    /// Looks up what a declaration names.
    ///
    /// - Throws: ``StoreError/unusable(_:cause:)`` where the table can't be a model, with the reason.
    init(_ declaration: ModelDeclaration, in db: Database) throws {
        let table = try ModelTable.checkedTable(of: declaration, in: db)
        let columns = try TableColumn.all(of: table.name, in: db)
        let secrets = try ModelTable.secrets(of: declaration, table: table.name, columns: columns)
        uniqueIndexes = try UniqueIndex.all(of: table.name, in: db)
        let primary = columns.filter { $0.primaryKeyPosition > 0 }.sorted {
            $0.primaryKeyPosition < $1.primaryKeyPosition
        }
        let keys = try ModelTable.keys(of: declaration, columns: columns, primary: primary, uniqueIndexes)
        for key in keys where secrets.contains(key.name) {
            throw declaration.unusable("names its rows by column \(key.name), which therefore can't be secret")
        }
        let single = keys.count == 1 ? keys.first?.name : nil
        for column in columns where column.name.lowercased() == keyColumnName && column.name != single {
            throw declaration.unusable(
                "has a column \(column.name) beside its key \(keys.map(\.name).joined(separator: ", ")), "
                    + "which is told as \(keyColumnName)")
        }

        // `INTEGER PRIMARY KEY DESC` is no row number, for historical reasons, and has an index like other keys.
        let rowNumber =
            !table.isWithoutRowID && primary.count == 1 && !uniqueIndexes.contains(where: \.isPrimaryKey)
            ? primary.first.flatMap { $0.isInteger ? $0.name : nil } : nil
        let isKeyRowID = rowNumber != nil && rowNumber == single
        self.isKeyRowID = isKeyRowID
        let fields = columns.filter { !secrets.contains($0.name) }.map { column in
            column.field(
                isKey: column.name == single, isPart: keys.contains { $0.name == column.name },
                isRowID: column.name == rowNumber)
        }
        self.keys = keys.compactMap { key in fields.first { $0.name == key.name } }
        self.fields = (single == nil ? [.compositeKey] : []) + fields
        self.secrets = columns.map(\.name).filter(secrets.contains)
        sources = columns.map { column in
            Source(name: column.name, literalDefault: column.literalDefault, isNotNull: column.isNotNull)
        }
        rowIDName = table.isWithoutRowID ? nil : rowNumber.map(SQL.name) ?? TableColumn.freeRowIDName(beside: columns)
        if rowIDName != nil { uniqueIndexes.insert(UniqueIndex(rowID: rowNumber), at: 0) }
        references = try ModelTable.references(of: table.name, in: db)
        hasBeforeTriggers = try ModelTable.hasBeforeTriggers(table.name, in: db)
        let told = self.fields.map(\.column)
        guard let key = told.first(where: { $0.name == keyColumnName }) else {
            throw declaration.unusable("has no key")
        }
        model = Model(
            name: declaration.name, path: declaration.path, table: table.name, key: key,
            keyColumns: keys.map(\.name), columns: told)
    }

    /// The most columns that a key can have: as many as `rolecall_displaced` has room for.
    static let maximumKeyColumns = 8

    /// The columns that name a row: the declared ones, or else the primary key.
    private static func keys(
        of declaration: ModelDeclaration, columns: [TableColumn], primary: [TableColumn], _ indexes: [UniqueIndex]
    ) throws -> [TableColumn] {
        var keys = primary
        if !declaration.key.isEmpty {
            keys = try declaration.key.map { name in
                guard let column = columns.first(where: { $0.name.lowercased() == name.lowercased() }) else {
                    throw declaration.unusable("has no column \(name), which is declared as its key")
                }
                return column
            }
            let names = Set(keys.map(\.name))
            let isUnique = indexes.contains { index in index.columns.map { Set($0) == names } ?? false }
            let namesEachRow = isUnique && keys.allSatisfy { $0.isNotNull || $0.primaryKeyPosition > 0 }
            guard namesEachRow || names == Set(primary.map(\.name)), names.count == keys.count else {
                throw declaration.unusable(
                    "can't have the key \(declaration.key.joined(separator: ", ")): "
                        + "it must be a primary key, or a unique index of columns that are NOT NULL")
            }
        }
        guard !keys.isEmpty else {
            throw declaration.unusable("has no primary key: Rolecall needs columns that name a row")
        }
        guard keys.count <= maximumKeyColumns else {
            throw declaration.unusable(
                "has a key of \(keys.count) columns: Rolecall takes \(maximumKeyColumns) at most")
        }
        return keys
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

    private static func hasBeforeTriggers(_ table: String, in db: Database) throws -> Bool {
        var found = false
        try db.query(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE", [.text(table)]
        ) { row in
            // CREATE TRIGGER, the name, and when; BEFORE is meant where nothing is said.
            let words = SQLTokens(row.text(1)).dropFirst(3)
            let isOurs =
                row.text(0).hasPrefix("rolecall_")
                && words.contains { $0.text == "rolecall_events" || $0.text == "rolecall_displaced" }
            found = found || !isOurs && words.first?.text.uppercased() != "AFTER"
            return true
        }
        return found
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
