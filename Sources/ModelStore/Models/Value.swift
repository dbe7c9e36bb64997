import WireJSON

/// One column's value, with the type that the database gave it.
///
/// Equality is the database's, not Swift's: texts are equal when their bytes are ("é" in one and in two scalars are
/// two keys), and no value differs from itself, NaN included. Equal values have the same ``json``.
public enum Value: Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
    /// From a column of booleans, however the database stores them.
    case boolean(Bool)

    /// What a client sees. A blob becomes `{"$blob": hex}`, a real that is no number `{"$real": "Infinity"}`:
    /// nothing is silently turned into something else. Both zeros are `0.0`: to a database they are one, and which of
    /// them comes out depends on the way.
    public var json: JSON {
        switch self {
        case .null: .null
        case .integer(let value): .integer(value)
        case .real(let value) where value.isFinite: .number(value == 0 ? 0 : value)
        case .real(let value):
            ["$real": .string(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")]
        case .text(let value): .string(value)
        case .blob(let bytes): ["$blob": .string(Value.hexadecimal(bytes))]
        case .boolean(let value): .bool(value)
        }
    }

    /// The inverse of ``json``; nil for JSON that stands for no value.
    public init?(json: JSON) {
        switch json {
        case .null: self = .null
        case .bool(let value): self = .boolean(value)
        case .integer(let value): self = .integer(value)
        case .number(let value): self = .real(value)
        case .string(let value): self = .text(value)
        case .array: return nil
        case .object(let object):
            guard object.count == 1 else { return nil }
            if let hexadecimal = json["$blob"]?.stringValue, let bytes = Value.bytes(hexadecimal: hexadecimal) {
                self = .blob(bytes)
            } else if let real = json["$real"]?.stringValue {
                switch real {
                case "Infinity": self = .real(.infinity)
                case "-Infinity": self = .real(-.infinity)
                case "NaN": self = .real(.nan)
                default: return nil
                }
            } else {
                return nil
            }
        }
    }

    static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
            for (index, byte) in bytes.enumerated() {
                buffer[index * 2] = digits[Int(byte >> 4)]
                buffer[index * 2 + 1] = digits[Int(byte & 15)]
            }
            return bytes.count * 2
        }
    }

    static func bytes(hexadecimal text: String) -> [UInt8]? {
        let utf8 = Array(text.utf8)
        guard utf8.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(utf8.count / 2)
        for index in stride(from: 0, to: utf8.count, by: 2) {
            guard let high = nibble(utf8[index]), let low = nibble(utf8[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension Value: Hashable {
    public static func == (left: Value, right: Value) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.integer(let left), .integer(let right)): left == right
        case (.real(let left), .real(let right)): left == right || left.isNaN && right.isNaN
        case (.text(let left), .text(let right)): left.hasSameBytes(as: right)
        case (.blob(let left), .blob(let right)): left == right
        case (.boolean(let left), .boolean(let right)): left == right
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .integer(let value): hasher.combine(value)
        case .real(let value): hasher.combine(value.isNaN ? Double.nan : value)
        // Texts that are equal by their bytes are canonically equivalent and hash alike.
        case .text(let value): hasher.combine(value)
        case .blob(let value): hasher.combine(value)
        case .boolean(let value): hasher.combine(value)
        }
    }
}

extension Value {
    /// Whether a rule that names one of these values means the other: as SQL's `IS NOT DISTINCT FROM`, which compares
    /// numbers by what they count and finds NULL the same as NULL.
    ///
    /// What the configuration calls `true` is 1 in a column of numbers, and `3` is 3.0 in one of reals. An integer and a
    /// real are compared exactly, beyond 2^53 too.
    public func isSame(as other: Value) -> Bool {
        switch (withoutBoolean, other.withoutBoolean) {
        case (.integer(let integer), .real(let real)), (.real(let real), .integer(let integer)):
            Int64(exactly: real) == integer
        case (let left, let right): left == right
        }
    }

    private var withoutBoolean: Value {
        if case .boolean(let value) = self { .integer(value ? 1 : 0) } else { self }
    }
}

/// A row: columns with their values, in the table's order.
///
/// Columns are told apart by the bytes of their names, as the database does.
public struct Row: Sendable {
    public typealias Field = (column: String, value: Value)

    public private(set) var columns: [String]
    public private(set) var values: [Value]

    public init(_ fields: some Sequence<Field>) {
        columns = []
        values = []
        for field in fields {
            columns.append(field.column)
            values.append(field.value)
        }
    }

    /// - Parameter columns: as many as `values`; what has no counterpart is left out.
    public init(columns: [String], values: [Value]) {
        let count = min(columns.count, values.count)
        self.columns = Array(columns.prefix(count))
        self.values = Array(values.prefix(count))
    }

    /// Rows have few columns: a scan is faster than hashing.
    public subscript(column: String) -> Value? {
        columns.firstIndex { $0.hasSameBytes(as: column) }.map { values[$0] }
    }

    public var fields: some Sequence<Field> {
        zip(columns, values).lazy.map { (column: $0, value: $1) }
    }

    /// Reads a row's image from the log; nil where it is no object of values.
    public init?(json: JSON) {
        guard let object = json.objectValue else { return nil }
        columns = []
        values = []
        for (column, value) in object {
            guard let value = Value(json: value) else { return nil }
            columns.append(column)
            values.append(value)
        }
    }
}

extension Row: Hashable {
    public static func == (left: Row, right: Row) -> Bool {
        left.hasSameColumns(as: right) && left.values == right.values
    }

    public func hash(into hasher: inout Hasher) {
        // Names that are equal by their bytes are canonically equivalent and hash alike.
        hasher.combine(columns)
        hasher.combine(values)
    }

    /// Whether both have the same columns in the same order.
    func hasSameColumns(as other: Row) -> Bool {
        columns.elementsEqual(other.columns) { $0.hasSameBytes(as: $1) }
    }
}
