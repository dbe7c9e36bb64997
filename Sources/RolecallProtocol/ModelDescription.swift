import WireJSON

/// A model as somebody may see and write it: one of the list that `GET /api/models` answers with.
public struct ModelDescription: Hashable, Sendable {
    /// What a field takes. Open on purpose: a client meets kinds of a newer server.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        public static let integer = Kind(rawValue: "integer")
        public static let real = Kind(rawValue: "real")
        public static let text = Kind(rawValue: "text")
        public static let boolean = Kind(rawValue: "boolean")
        public static let blob = Kind(rawValue: "blob")
        public static let any = Kind(rawValue: "any")
    }

    public struct Field: Hashable, Sendable {
        public var name: String
        public var kind: Kind
        /// A new row must bring it.
        public var isRequired: Bool
        /// Null may stand in it.
        public var isNullable: Bool
        /// Whether the caller may write it in the rows that he may write.
        public var isWritable: Bool

        public init(name: String, kind: Kind, isRequired: Bool, isNullable: Bool, isWritable: Bool) {
            self.name = name
            self.kind = kind
            self.isRequired = isRequired
            self.isNullable = isNullable
            self.isWritable = isWritable
        }
    }

    public var name: String
    /// The last part of its path: `/api/<path>`.
    public var path: String
    /// The columns that name a row, by their names in the table; of several, `_id` is the array of their values.
    public var keyColumns: [String]
    /// Those that the caller may see, in the table's order.
    public var fields: [Field]
    /// Whether some rule could let the caller create a row; so with the other two.
    public var mayCreate: Bool
    public var mayUpdate: Bool
    public var mayRemove: Bool

    public init(
        name: String, path: String, keyColumns: [String], fields: [Field], mayCreate: Bool, mayUpdate: Bool,
        mayRemove: Bool
    ) {
        self.name = name
        self.path = path
        self.keyColumns = keyColumns
        self.fields = fields
        self.mayCreate = mayCreate
        self.mayUpdate = mayUpdate
        self.mayRemove = mayRemove
    }

    public func field(_ name: String) -> Field? {
        fields.first { $0.name == name }
    }

    public var json: JSON {
        [
            "name": .string(name), "path": .string(path), "key": ["columns": .array(keyColumns.map(JSON.string))],
            "fields": .array(fields.map(\.json)), "create": .bool(mayCreate), "update": .bool(mayUpdate),
            "remove": .bool(mayRemove),
        ]
    }

    public init?(json: JSON) {
        guard let name = json["name"]?.stringValue, let path = json["path"]?.stringValue, !name.isEmpty, !path.isEmpty,
            let fields = json["fields"]?.arrayValue
        else { return nil }
        self.init(
            name: name, path: path, keyColumns: json["key"]?["columns"]?.arrayValue?.compactMap(\.stringValue) ?? [],
            fields: fields.compactMap(Field.init), mayCreate: json["create"]?.boolValue ?? false,
            mayUpdate: json["update"]?.boolValue ?? false, mayRemove: json["remove"]?.boolValue ?? false)
    }
}

extension ModelDescription.Field {
    fileprivate var json: JSON {
        [
            "name": .string(name), "kind": .string(kind.rawValue), "required": .bool(isRequired),
            "nullable": .bool(isNullable), "writable": .bool(isWritable),
        ]
    }

    fileprivate init?(json: JSON) {
        guard let name = json["name"]?.stringValue, let kind = json["kind"]?.stringValue else { return nil }
        self.init(
            name: name, kind: ModelDescription.Kind(rawValue: kind),
            isRequired: json["required"]?.boolValue ?? false, isNullable: json["nullable"]?.boolValue ?? true,
            isWritable: json["writable"]?.boolValue ?? false)
    }
}
