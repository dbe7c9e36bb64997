import WireJSON

/// What stands in a database, as far as a configuration can name it: what a store says of itself, in words that are the
/// same for every store.
public struct DatabaseSchema: Hashable, Sendable {
    /// When two texts name the same table or column.
    public enum NameComparison: Hashable, Sendable {
        /// When they differ in nothing but the case of A to Z.
        case ignoringASCIICase
        /// When they have the same bytes.
        case exact

        public func areSame(_ one: String, _ other: String) -> Bool {
            switch self {
            case .ignoringASCIICase:
                one.utf8.elementsEqual(other.utf8) { Self.lowercased($0) == Self.lowercased($1) }
            case .exact: one.hasSameBytes(as: other)
            }
        }

        private static func lowercased(_ byte: UInt8) -> UInt8 {
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
        }

        /// The element of that name: one that is spelt like this, byte for byte, else the first whose name is the same.
        fileprivate func first<Element>(
            _ name: String, in elements: [Element], by path: (Element) -> String
        ) -> Element? {
            elements.first { path($0).hasSameBytes(as: name) } ?? elements.first { areSame(path($0), name) }
        }
    }

    /// The database as its user names it, for sentences.
    public var name: String
    /// What a configuration file names the database by, under `store`; nil where it is not to name any.
    public var storeURL: String?
    public var nameComparison: NameComparison
    /// In the order of their names, the store's own among them.
    public var tables: [Table]

    public init(name: String, storeURL: String? = nil, nameComparison: NameComparison, tables: [Table]) {
        self.name = name
        self.storeURL = storeURL
        self.nameComparison = nameComparison
        self.tables = tables
    }

    /// The table that the database takes for the one of this name.
    public func table(_ name: String) -> Table? {
        nameComparison.first(name, in: tables, by: \.name)
    }

    public struct Table: Hashable, Sendable {
        public var name: String
        /// Whether it belongs to the store itself: no configuration makes a model of it.
        public var isOwn: Bool
        /// Why it can't be a model, as the rest of a sentence that begins with its name: `is a view; name the table that
        /// it shows`. Nil where its kind is no reason.
        public var obstacle: String?
        /// In the table's order, under their own names.
        public var columns: [Column]
        /// The primary key's columns, in its order; empty for a table without one.
        public var primaryKey: [String]
        /// Sets of columns, other than the primary key, that no two rows share (unique indexes of plain columns without
        /// a condition) and that all are NOT NULL: each could name a row.
        public var otherKeys: [[String]]
        /// The columns that refer to another table by themselves, with the table's name.
        public var references: [String: String]
        /// The columns by which an index over all rows finds them.
        public var searchable: Set<IndexedColumn>

        public init(
            name: String, isOwn: Bool = false, obstacle: String? = nil, columns: [Column], primaryKey: [String],
            otherKeys: [[String]] = [], references: [String: String] = [:], searchable: Set<IndexedColumn> = []
        ) {
            self.name = name
            self.isOwn = isOwn
            self.obstacle = obstacle
            self.columns = columns
            self.primaryKey = primaryKey
            self.otherKeys = otherKeys
            self.references = references
            self.searchable = searchable
        }

        /// The column that the database takes for the one of this name.
        public func column(_ name: String, comparing comparison: NameComparison) -> Column? {
            comparison.first(name, in: columns, by: \.name)
        }
    }

    /// The first column of an index.
    public struct IndexedColumn: Hashable, Sendable {
        public var name: String
        /// Whether the index takes texts for the same that differ in nothing but the case of A to Z.
        public var ignoresCase: Bool

        public init(name: String, ignoresCase: Bool) {
            self.name = name
            self.ignoresCase = ignoresCase
        }
    }

    public struct Column: Hashable, Sendable {
        public var name: String
        public var kind: ModelStore.Column.Kind
        /// Whether a value of another kind is stored as it is where it can't be converted to this one: SQLite does so,
        /// except in STRICT tables. Other databases refuse such a value.
        public var takesOtherKinds: Bool
        /// As the table declares it; empty where it declares nothing.
        public var declaredType: String
        public var isNullable: Bool
        /// Computed by the table: read, never written.
        public var isGenerated: Bool

        public init(
            name: String, kind: ModelStore.Column.Kind, takesOtherKinds: Bool = false, declaredType: String,
            isNullable: Bool, isGenerated: Bool = false
        ) {
            self.name = name
            self.kind = kind
            self.takesOtherKinds = takesOtherKinds
            self.declaredType = declaredType
            self.isNullable = isNullable
            self.isGenerated = isGenerated
        }

        /// Whether some row could have a value here that is the same as this one, as ``Value/isSame(as:)`` compares
        /// them. False is certain, true is not.
        ///
        /// A column converts what it can: one of texts turns each number into a text, one of numbers each text that
        /// spells a whole number into that number. A column of booleans is expected to hold nothing else, whatever it
        /// takes.
        public func canHold(_ value: Value) -> Bool {
            switch (kind, value) {
            case (_, .null): isNullable
            case (.any, _), (.text, .text), (.blob, .blob): true
            case (.boolean, _): value.isSame(as: .boolean(true)) || value.isSame(as: .boolean(false))
            case (.text, .integer), (.text, .real), (.text, .boolean): false
            case (.integer, .integer), (.integer, .boolean): true
            case (.integer, .real(let real)): takesOtherKinds || Int64(exactly: real) != nil
            case (.real, .integer), (.real, .real), (.real, .boolean): true
            case (.integer, .text(let text)), (.real, .text(let text)): takesOtherKinds && Int64(text) == nil
            case (.integer, .blob), (.real, .blob), (.text, .blob), (.blob, _): takesOtherKinds
            }
        }
    }
}
