import GRDB
import ModelStore

/// A line of `PRAGMA table_xinfo`.
struct TableColumn {
    var name: String
    /// In capitals.
    var type: String
    /// As the table has it.
    var declaredType: String
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
                        name: row.text(0), type: row.text(1).uppercased(), declaredType: row.text(1),
                        isNotNull: row.integer(2) != 0,
                        defaultValue: row.isNull(3) ? nil : row.text(3), primaryKeyPosition: row.integer(4),
                        isGenerated: row.integer(5) > 1))
            }
            return true
        }
        return columns
    }

    /// A name of the row number that no column takes; nil where columns have them all, and no statement can say it.
    static func freeRowIDName(beside columns: [TableColumn]) -> String? {
        let taken = Set(columns.map { $0.name.lowercased() })
        return ["rowid", "_rowid_", "oid"].first { !taken.contains($0) }
    }

    /// Exactly this type makes a single key the row's number; `INT` does not.
    var isInteger: Bool { type == "INTEGER" }

    /// As SQLite reads a declared type (its documentation, "Determination Of Column Affinity"), with BOOLEAN told
    /// apart. What has numeric affinity takes anything.
    var kind: ModelStore.Column.Kind {
        if type.hasPrefix("BOOL") { return .boolean }
        if type.contains("INT") { return .integer }
        if type.contains("CHAR") || type.contains("CLOB") || type.contains("TEXT") { return .text }
        if type.contains("BLOB") { return .blob }
        if type.contains("REAL") || type.contains("FLOA") || type.contains("DOUB") { return .real }
        return .any
    }

    /// Whether a value that the column's affinity can't convert is kept as it is. A STRICT table refuses it, but does not
    /// check what it computes by itself.
    func takesOtherKinds(inStrictTable isStrict: Bool) -> Bool {
        !isStrict || isGenerated
    }

    /// - Parameters:
    ///   - isKey: whether it is the key by itself.
    ///   - isPart: whether it is that, or a part of it.
    ///   - isRowID: whether the table gives it by itself.
    func field(isKey: Bool, isPart: Bool, isRowID: Bool) -> ModelTable.Field {
        let column = ModelStore.Column(
            name: isKey ? keyColumnName : name, kind: kind,
            isRequired: (isNotNull || isPart) && defaultValue == nil && !isGenerated && !isRowID,
            isNullable: !isNotNull && !isPart && !isRowID, isGenerated: isGenerated)
        return ModelTable.Field(name: name, column: column)
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
