/// The parameters of a request target's query, decoded as HTML forms encode them
/// (`application/x-www-form-urlencoded`, WHATWG URL, section 5.1).
public struct EngineQuery: Sendable, Equatable {
    /// One parameter.
    public struct Item: Sendable, Equatable {
        /// Without its encoding; empty when the parameter begins with `=`.
        public let name: String
        /// Without its encoding; empty when the parameter has no `=`.
        public let value: String

        /// A parameter of decoded texts.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// All parameters, in order.
    public let items: [Item]

    /// Parses what follows the `?`. Every text is a query: a `%` that no two hexadecimal digits follow stands for
    /// itself, bytes that are not UTF-8 become U+FFFD.
    public init(_ text: some StringProtocol) {
        items = text.utf8.split(separator: UInt8(ascii: "&")).map { parameter in
            let name = parameter.prefix { $0 != UInt8(ascii: "=") }
            return Item(name: Self.decode(name), value: Self.decode(parameter.dropFirst(name.count + 1)))
        }
    }

    /// The value of a parameter, nil when there is none of that name. When a name comes twice, the last one counts.
    public subscript(name: String) -> String? {
        items.last { $0.name == name }?.value
    }

    private static func decode(_ text: some Collection<UInt8>) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = Array(text)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"):
                bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                if let high = rest.first.flatMap(hexValue), let low = rest.dropFirst().first.flatMap(hexValue) {
                    bytes.append(high << 4 | low)
                    rest = rest.dropFirst(2)
                } else {
                    bytes.append(byte)
                }
            default:
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
