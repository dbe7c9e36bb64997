import TestSupport

/// What an application does with its tables, with the database's shell.
extension LineWorld {
    /// One statement, or a transaction of several, which may be rolled back in part or in whole.
    mutating func script(on rows: [[String: LineRow]]) -> String {
        guard isOne(in: 3) else { return "\(statement(on: rows));" }
        var script = "BEGIN IMMEDIATE;\n"
        for _ in 0..<(1 + random.below(4)) {
            if isOne(in: 4) {
                let end = isOne(in: 2) ? "ROLLBACK TO part;\nRELEASE part;" : "RELEASE part;"
                script += "SAVEPOINT part;\n\(statement(on: rows));\n\(statement(on: rows));\n\(end)\n"
            } else {
                script += "\(statement(on: rows));\n"
            }
        }
        return script + (isOne(in: 4) ? "ROLLBACK;" : "COMMIT;")
    }

    private mutating func statement(on rows: [[String: LineRow]]) -> String {
        // Users are changed otherwise.
        var place = random.below(rows.count)
        while tables[place].model == "user" { place = random.below(rows.count) }
        let table = tables[place]
        let own = rows[place].values.sorted { ($0["_id"] ?? "") < ($1["_id"] ?? "") }
        guard !own.isEmpty, !isOne(in: 6) else {
            return insert("INSERT", 1 + random.below(3), into: table, like: nil, rows)
        }
        let row = one(of: own)
        if own.count > 14 || isOne(in: 8) {
            return "DELETE FROM \(table.sqlName) WHERE \(isOne(in: 3) ? many(table, row) : isRow(row, of: table))"
        }
        switch random.below(10) {
        case 0: return insert("INSERT OR REPLACE", 1 + random.below(2), into: table, like: row, rows)
        case 1: return insert("INSERT OR IGNORE", 1 + random.below(2), into: table, like: row, rows)
        case 2:
            let keys = table.keys.map { "\"\($0)\"" }.joined(separator: ", ")
            let settings = settable(table).shuffled(using: &random).prefix(2).map {
                "\"\($0.name)\" = excluded.\"\($0.name)\""
            }
            return insert("INSERT", 1, into: table, like: row, rows)
                + " ON CONFLICT(\(keys)) DO UPDATE SET \(settings.joined(separator: ", "))"
        case 3: return "UPDATE \(conflict())\(table.sqlName) SET \(settings(table, rows)) WHERE \(many(table, row))"
        case 4:
            let name = one(of: table.keys)
            guard !table.isBuiltIn, let key = table.columns.first(where: { $0.name == name }) else { fallthrough }
            let other = one(of: own)
            let value =
                isOne(in: 3)
                ? LineValue(cell: other[table.told(key)] ?? "null") : key.isRowID ? rowID() : value(of: key, in: rows)
            return
                "UPDATE \(conflict())\(table.sqlName) SET \"\(key.name)\" = \(value.sql) WHERE \(isRow(row, of: table))"
        default:
            return "UPDATE \(conflict())\(table.sqlName) SET \(settings(table, rows)) WHERE \(isRow(row, of: table))"
        }
    }

    private mutating func conflict() -> String { one(of: ["", "", "OR REPLACE ", "OR IGNORE "]) }

    private func settable(_ table: LineTable) -> [LineColumn] {
        table.columns.filter { !$0.isKey && !$0.isGenerated && !$0.isRowID }
    }

    private mutating func settings(_ table: LineTable, _ rows: [[String: LineRow]]) -> String {
        let columns = settable(table).shuffled(using: &random).prefix(1 + random.below(3))
        return columns.map { "\"\($0.name)\" = \(stored(in: $0, rows).sql)" }.joined(separator: ", ")
    }

    /// What a shell may put there, which is nearly anything.
    private mutating func stored(in column: LineColumn, _ rows: [[String: LineRow]]) -> LineValue {
        if column.isBoolean, isOne(in: 12) { return .integer(2) }
        if case .blob = column.kind, isOne(in: 6) { return .text("t\(number())") }
        if case .integer = column.kind, isOne(in: 12) { return .text("t\(number())") }
        return value(of: column, in: rows)
    }

    /// - Parameter row: one that new rows shall stand in the way of, by their key or by a code.
    private mutating func insert(
        _ verb: String, _ count: Int, into table: LineTable, like row: LineRow?, _ rows: [[String: LineRow]]
    ) -> String {
        let givesKey = isOne(in: 2)
        let columns = table.columns.filter { column in
            if column.isGenerated || column.hasDefault && isOne(in: 3) { return false }
            return !column.isRowID || (column.isKey && !table.isBuiltIn && (givesKey || row != nil))
        }
        let sameKey = isOne(in: 2)
        let values = (0..<count).map { _ in
            let row = row
            let list = columns.map { column -> String in
                if column.isKey, sameKey, let cell = row?[table.told(column)] { return LineValue(cell: cell).sql }
                if column.isRowID { return rowID().sql }
                return stored(in: column, rows).sql
            }
            return "(\(list.joined(separator: ", ")))"
        }
        let names = columns.map { "\"\($0.name)\"" }.joined(separator: ", ")
        return "\(verb) INTO \(table.sqlName)(\(names)) VALUES \(values.joined(separator: ", "))"
    }

    /// Finds a row by its key.
    func isRow(_ row: LineRow, of table: LineTable) -> String {
        table.keys.map { "\"\($0)\" = \(LineValue(cell: row[table.told($0)] ?? "null").sql)" }.joined(
            separator: " AND ")
    }

    /// Finds rows that have something in common with one.
    private mutating func many(_ table: LineTable, _ row: LineRow) -> String {
        let columns = table.columns.filter { column in
            guard !column.isSecret else { return false }
            switch column.kind {
            case .mark, .flag, .ownerID: return true
            default: return table.isBuiltIn && column.name == "room"
            }
        }
        guard !columns.isEmpty else { return isRow(row, of: table) }
        let column = one(of: columns)
        return "\"\(column.name)\" IS \(LineValue(cell: row[table.told(column)] ?? "null").sql)"
    }
}
