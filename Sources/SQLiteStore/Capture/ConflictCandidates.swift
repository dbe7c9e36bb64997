import ModelStore

/// SQL that finds the rows which a write may displace: those that equal the new row on some unique index.
struct ConflictCandidates {
    enum Write {
        case insert
        case update
    }

    let shape: TableShape

    /// Whether there are any.
    func exist(for write: Write) -> String {
        let rows = shape.uniqueIndexes.map { index in
            let found = "EXISTS (SELECT 1 FROM \(shape.table) AS t WHERE \(condition(index, for: write)))"
            guard write == .update, let columns = names(of: index) else { return found }
            // Most updates leave the index alone, and then the lookup can be spared.
            let differ = columns.map { "NEW.\($0) IS NOT OLD.\($0) COLLATE BINARY" }
            return "((\(differ.joined(separator: " OR "))) AND \(found))"
        }
        return rows.joined(separator: " OR ")
    }

    /// Selects what tells them apart, each once.
    func keys(for write: Write) -> String {
        select(shape.identity.map { "t.\($0)" }.joined(separator: ", "), for: write)
    }

    /// Selects columns of theirs, what is the same once.
    ///
    /// - Parameters:
    ///   - columns: of the table `t`.
    ///   - condition: on the table `t`; nil for none.
    func select(_ columns: String, for write: Write, where condition: String? = nil) -> String {
        let restriction = condition.map { " AND \($0)" } ?? ""
        return shape.uniqueIndexes.map { index in
            "SELECT \(columns) FROM \(shape.table) AS t WHERE \(self.condition(index, for: write))\(restriction)"
        }.joined(separator: " UNION ")
    }

    /// What a change of the index shows in, where that is columns alone.
    private func names(of index: UniqueIndex) -> [String]? {
        if case .rowID? = index.terms.first?.content, index.terms.count == 1 { return shape.rowIDName.map { [$0] } }
        return index.columns?.map(SQL.name)
    }

    private func condition(_ index: UniqueIndex, for write: Write) -> String {
        var conditions = shape.identity.map { "t.\($0) IS NOT NULL" }
        // A row does not stand in its own way.
        if write == .update, !shape.identity.isEmpty {
            let differ = shape.identity.map { "t.\($0) IS NOT OLD.\($0) COLLATE BINARY" }
            conditions.append(differ.count == 1 ? differ[0] : "(\(differ.joined(separator: " OR ")))")
        }
        // The index's own condition first: an expression may be defined only where that holds.
        if let condition = index.condition {
            conditions.append("(\(condition))")
            conditions.append(ofNew(condition))
        }
        for term in index.terms {
            let collation = term.collation.map { " COLLATE \(SQL.name($0))" } ?? ""
            switch term.content {
            case .column(let name): conditions.append("t.\(SQL.name(name)) = \(newValue(name))\(collation)")
            case .rowID:
                if let name = shape.rowIDName { conditions.append("t.\(name) = NEW.\(name)") }
            case .expression(let expression): conditions.append("(\(expression)) = \(ofNew(expression))\(collation)")
            }
        }
        return conditions.joined(separator: " AND ")
    }

    /// The value that the new row will have in a column. REPLACE puts the default in place of a NULL that the column
    /// does not take, but only after the trigger has looked.
    private func newValue(_ column: String) -> String {
        let value = "NEW.\(SQL.name(column))"
        guard let source = shape.columns.first(where: { $0.name == column }), source.isNotNull,
            let literal = source.literalDefault
        else { return value }
        return "coalesce(\(value), \(literal))"
    }

    /// An expression over the table's columns, evaluated for the new row.
    private func ofNew(_ expression: String) -> String {
        let row = shape.columns.map { "\(newValue($0.name)) AS \(SQL.name($0.name))" }.joined(separator: ", ")
        return "(SELECT (\(expression)) FROM (SELECT \(row)))"
    }
}
