/// What may be written into a column, as the table declares it.
///
/// A column that the table computes is listed, too, so that it is told; a store refuses to write it.
public struct Column: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        case integer
        case real
        case text
        case boolean
        case blob
        /// Declared so that the database takes anything.
        case any
    }

    public var name: String
    public var kind: Kind
    /// NOT NULL and no default: a new row must bring it.
    public var isRequired: Bool
    /// NULL may stand in it.
    public var isNullable: Bool
    /// Computed by the table: told, and never written.
    public var isGenerated: Bool

    public init(name: String, kind: Kind, isRequired: Bool, isNullable: Bool, isGenerated: Bool = false) {
        self.name = name
        self.kind = kind
        self.isRequired = isRequired
        self.isNullable = isNullable
        self.isGenerated = isGenerated
    }
}

/// A table whose changes are told: its name on the wire, its place in the database, its columns.
///
/// The key's column is called `_id` here, in ``key`` and in ``columns``, whatever the table calls it; so it is in every
/// row, in every event and in the values that are written. All other columns have the names of the table.
///
/// A key of several columns is told as one text: the JSON array of their values, `[7,"shirt"]`, without any space. The
/// columns themselves are told under their own names, too.
public struct Model: Hashable, Sendable {
    /// The event's first part (`thing` in `thing:save`); never contains `:`.
    public var name: String
    /// The last part of its REST path: `/api/<path>`.
    public var path: String
    public var table: String
    /// The column that names a row, under the name `_id`.
    public var key: Column
    /// What names a row in the table: one column, or several that make up the key together.
    public var keyColumns: [String]
    /// Every column that may be told, the key included. What stands in the table beyond these never leaves it.
    public var columns: [Column]

    /// - Parameter keyColumns: by their names in the table; nil for one that has the key's own name.
    public init(
        name: String, path: String, table: String, key: Column, keyColumns: [String]? = nil, columns: [Column]
    ) {
        self.name = name
        self.path = path
        self.table = table
        self.key = key
        self.keyColumns = keyColumns ?? [key.name]
        self.columns = columns
    }

    /// What every model's key is called.
    public static let keyName = "_id"

    public func column(_ name: String) -> Column? {
        columns.first { $0.name == name }
    }
}

/// A model as configuration names it, before the store has looked at its table.
public struct ModelDeclaration: Hashable, Sendable {
    public var name: String
    public var path: String
    public var table: String
    /// The columns that name a row, by their names in the table; none for its primary key.
    public var key: [String]
    /// Columns that never leave the table, not even into the log: password hashes.
    public var secret: Set<String>

    public init(name: String, path: String, table: String, key: [String] = [], secret: Set<String> = []) {
        self.name = name
        self.path = path
        self.table = table
        self.key = key
        self.secret = secret
    }
}

/// The names of the models that every Rolecall server has.
public enum ModelName {
    public static let user = "user"
    public static let message = "message"
}
