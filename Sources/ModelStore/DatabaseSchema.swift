/// What stands in a database, as far as a configuration can name it.
public struct DatabaseSchema: Hashable, Sendable {
    /// The database as its user names it, for sentences.
    public var name: String
    /// In the order of their names. The store's own tables are not among them, but for those that every server has as
    /// models.
    public var tables: [Table]

    public init(name: String, tables: [Table]) {
        self.name = name
        self.tables = tables
    }

    /// The table of that name, in the database's own sense of sameness: without regard to the case of A to Z.
    public func table(_ name: String) -> Table? {
        tables.first { $0.name.lowercased() == name.lowercased() }
    }

    public struct Table: Hashable, Sendable {
        public enum Kind: String, Hashable, Sendable {
            /// The only one that can be a model.
            case table
            case view
            case virtual
            /// Belongs to a virtual table.
            case shadow
        }

        public var name: String
        public var kind: Kind
        /// In the table's order, under their own names.
        public var columns: [Column]
        /// The primary key's columns, in its order; empty for a table without one.
        public var primaryKey: [String]
        /// Sets of columns, other than the primary key, that no two rows share (unique indexes of plain columns without
        /// a condition) and that all are NOT NULL: each could name a row.
        public var otherKeys: [[String]]

        public init(
            name: String, kind: Kind, columns: [Column], primaryKey: [String], otherKeys: [[String]] = []
        ) {
            self.name = name
            self.kind = kind
            self.columns = columns
            self.primaryKey = primaryKey
            self.otherKeys = otherKeys
        }

        public func column(_ name: String) -> Column? {
            columns.first { $0.name.lowercased() == name.lowercased() }
        }
    }

    public struct Column: Hashable, Sendable {
        public var name: String
        public var kind: ModelStore.Column.Kind
        /// As the table declares it; empty where it declares nothing.
        public var declaredType: String
        public var isNullable: Bool
        /// Computed by the table: read, never written.
        public var isGenerated: Bool

        public init(
            name: String, kind: ModelStore.Column.Kind, declaredType: String, isNullable: Bool,
            isGenerated: Bool = false
        ) {
            self.name = name
            self.kind = kind
            self.declaredType = declaredType
            self.isNullable = isNullable
            self.isGenerated = isGenerated
        }
    }
}
