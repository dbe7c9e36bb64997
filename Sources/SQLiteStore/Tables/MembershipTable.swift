import GRDB
import ModelStore

/// A table that says who belongs where, with what only the store knows of it.
struct MembershipTable: Sendable {
    /// Its name.
    var name: String
    /// What it says: one membership or several.
    var sources: [MembershipSource]
    var shape: TableShape

    /// The columns that name users, each once.
    var users: [Ownership] {
        var users: [Ownership] = []
        for source in sources where !users.contains(source.user) { users.append(source.user) }
        return users
    }

    /// All columns that decide who belongs where, each once.
    var columns: [String] {
        var columns: [String] = []
        for source in sources {
            for column in [source.user.column, source.of, source.role].compactMap(\.self)
            where !columns.contains(column) {
                columns.append(column)
            }
        }
        return columns
    }

    /// Looks up the tables that sources name.
    ///
    /// - Throws: ``StoreError/unusable(_:cause:)`` for a table or a column that is not there.
    static func all(_ sources: [MembershipSource], in db: Database) throws -> [MembershipTable] {
        var tables: [MembershipTable] = []
        for source in sources {
            if let place = tables.firstIndex(where: { $0.name.lowercased() == source.table.lowercased() }) {
                try tables[place].add(source, in: db)
            } else {
                tables.append(try MembershipTable(source, in: db))
            }
        }
        return tables
    }

    private init(_ source: MembershipSource, in db: Database) throws {
        let found = try db.first(
            """
            SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
            AND name = ? COLLATE NOCASE AND name NOT LIKE 'rolecall!_%' ESCAPE '!'
            """, [.text(source.table)]
        ) { row in (name: row.text(0), isWithoutRowID: row.integer(1) != 0) }
        guard let found else {
            throw source.unusable("is no ordinary table of this database")
        }
        let columns = try TableColumn.all(of: found.name, in: db)
        let indexes = try UniqueIndex.all(of: found.name, in: db)
        let primary = columns.filter { $0.primaryKeyPosition > 0 }.sorted {
            $0.primaryKeyPosition < $1.primaryKeyPosition
        }
        let number =
            !found.isWithoutRowID && primary.count == 1 && !indexes.contains(where: \.isPrimaryKey)
            ? primary.first.flatMap { $0.isInteger ? $0.name : nil } : nil
        let rowIDName =
            found.isWithoutRowID ? nil : number.map(SQL.name) ?? TableColumn.freeRowIDName(beside: columns)
        name = found.name
        sources = []
        shape = TableShape(
            table: SQL.name(found.name),
            identity: rowIDName.map { [$0] } ?? primary.map { SQL.name($0.name) },
            columns: columns.map {
                ModelTable.Source(name: $0.name, literalDefault: $0.literalDefault, isNotNull: $0.isNotNull)
            },
            rowIDName: rowIDName,
            uniqueIndexes: (rowIDName == nil ? [] : [UniqueIndex(rowID: number)]) + indexes)
        try add(source, in: db)
    }

    /// Adds a source of the same table, under the names that the table has for its columns.
    private mutating func add(_ source: MembershipSource, in db: Database) throws {
        func column(_ name: String) throws -> String {
            let names = shape.columns.map(\.name)
            guard
                let found = names.first(where: { $0 == name })
                    ?? names.first(where: { $0.lowercased() == name.lowercased() })
            else { throw source.unusable("has no column \(name)") }
            return found
        }
        var named = source
        named.table = name
        named.user.column = try column(source.user.column)
        named.of = try column(source.of)
        named.role = try source.role.map(column)
        if !sources.contains(named) { sources.append(named) }
    }
}

extension MembershipSource {
    fileprivate func unusable(_ reason: String) -> StoreError {
        .unusable("The table \(table) of the membership \(membership) \(reason): correct the configuration.")
    }
}

/// What makes the rows of a table stand in each other's way.
struct TableShape: Sendable {
    /// As it stands in a statement.
    var table: String
    /// What tells a row from the others: columns or the row's number, as they stand in a statement.
    var identity: [String]
    var columns: [ModelTable.Source]
    /// By what name a statement can say the row's number; nil for none.
    var rowIDName: String?
    var uniqueIndexes: [UniqueIndex]
}

extension ModelTable {
    var shape: TableShape {
        TableShape(
            table: table, identity: keyNames, columns: sources, rowIDName: rowIDName, uniqueIndexes: uniqueIndexes)
    }
}
