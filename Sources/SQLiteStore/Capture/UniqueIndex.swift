import GRDB
import ModelStore

/// What makes two rows of a table exclude each other: a unique index, a UNIQUE constraint or the primary key.
struct UniqueIndex: Sendable {
    struct Term: Sendable {
        enum Content: Sendable {
            /// A column, by its name in the table.
            case column(String)
            /// The table's implicit row number.
            case rowID
            /// SQL over the table's columns.
            case expression(String)
        }

        var content: Content
        /// Nil for that of the column.
        var collation: String?
    }

    var terms: [Term]
    /// SQL over the table's columns; only rows for which it holds are in the index.
    var condition: String?
    var isPrimaryKey = false

    /// The row's number, which needs no index.
    ///
    /// - Parameter column: the column that is it, where there is one.
    init(rowID column: String?) {
        terms = [Term(content: column.map(Term.Content.column) ?? .rowID, collation: nil)]
        isPrimaryKey = column != nil
    }

    /// The columns, where there are no others terms and no condition.
    var columns: [String]? {
        guard condition == nil else { return nil }
        var columns: [String] = []
        for term in terms {
            guard case .column(let name) = term.content else { return nil }
            columns.append(name)
        }
        return columns
    }
}

extension UniqueIndex {
    static func all(of table: String, in db: Database) throws -> [UniqueIndex] {
        var found: [(name: String, isPrimaryKey: Bool, sql: String?)] = []
        try db.query(
            """
            SELECT i.name, i.origin = 'pk', m.sql FROM pragma_index_list(?) AS i
            LEFT JOIN sqlite_master AS m ON m.type = 'index' AND m.name = i.name
            WHERE i."unique" ORDER BY i.name
            """, [.text(table)]
        ) { row in
            found.append((row.text(0), row.integer(1) != 0, row.isNull(2) ? nil : row.text(2)))
            return true
        }
        return try found.map { try UniqueIndex(name: $0.name, isPrimaryKey: $0.isPrimaryKey, sql: $0.sql, in: db) }
    }

    /// - Parameter sql: the statement that made the index; nil for one that a constraint made, which has columns only.
    private init(name: String, isPrimaryKey: Bool, sql: String?, in db: Database) throws {
        let definition = sql.flatMap(IndexDefinition.init)
        var terms: [Term] = []
        try db.query(
            "SELECT seqno, cid, name, coll FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno", [.text(name)]
        ) { row in
            let content: Term.Content? =
                switch row.integer(1) {
                case -1: .rowID
                // Without its text an expression can't be compared; the other terms find more rows, not fewer.
                case -2: definition?.term(Int(row.integer(0))).map(Term.Content.expression)
                default: .column(row.text(2))
                }
            if let content { terms.append(Term(content: content, collation: row.isNull(3) ? nil : row.text(3))) }
            return true
        }
        self.terms = terms
        self.isPrimaryKey = isPrimaryKey
        condition = definition?.condition
    }
}

/// The parts of a `CREATE INDEX` statement that no PRAGMA tells: expressions and the WHERE clause.
struct IndexDefinition: Equatable {
    /// The indexed terms, without ASC and DESC.
    var terms: [String]
    /// What follows WHERE; nil without.
    var condition: String?

    /// The term at a place of the index; nil past the last.
    func term(_ place: Int) -> String? {
        terms.indices.contains(place) ? terms[place] : nil
    }

    /// - Parameter sql: as SQLite keeps it, therefore without errors. Nil if it is none such after all.
    init?(sql: String) {
        let tokens = SQLTokens(sql)
        guard let open = tokens.firstIndex(where: { $0.text == "(" }) else { return nil }
        var depth = 0
        var close: Int?
        var cuts: [Int] = [open]
        scan: for index in tokens.indices[open...] {
            switch tokens[index].text {
            case "(": depth += 1
            case ")":
                depth -= 1
                if depth == 0 {
                    close = index
                    break scan
                }
            case "," where depth == 1: cuts.append(index)
            default: break
            }
        }
        guard let close else { return nil }
        cuts.append(close)
        terms = zip(cuts, cuts.dropFirst()).map { start, end in
            var range = start + 1..<end
            if let last = range.last, ["ASC", "DESC"].contains(tokens[last].text.uppercased()) {
                range = range.dropLast()
            }
            return tokens.text(range)
        }
        if let start = tokens.indices[close...].first(where: { tokens[$0].text.uppercased() == "WHERE" }) {
            condition = tokens.text(start + 1..<tokens.endIndex)
        }
    }
}
