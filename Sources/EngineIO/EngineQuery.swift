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
        var text = String(text)
        items = text.withUTF8 { Self.parse($0) }
    }

    /// The value of a parameter, nil when there is none of that name. When a name comes twice, the last one counts.
    public subscript(name: String) -> String? {
        items.last { $0.name == name }?.value
    }

    private static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> [Item] {
        var items: [Item] = []
        var scratch: [UInt8] = []
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "&")) ?? bytes.count
            if end > start {
                let nameEnd = bytes[start..<end].firstIndex(of: UInt8(ascii: "=")) ?? end
                let name = decode(bytes[start..<nameEnd], &scratch)
                items.append(Item(name: name, value: decode(bytes[min(nameEnd + 1, end)..<end], &scratch)))
            }
            start = end + 1
        }
        return items
    }

    /// - Parameter scratch: kept for the next text that has anything to decode.
    private static func decode(_ slice: Slice<UnsafeBufferPointer<UInt8>>, _ scratch: inout [UInt8]) -> String {
        let text = UnsafeBufferPointer(rebasing: slice)
        guard text.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return String(decoding: text, as: UTF8.self)
        }
        scratch.removeAll(keepingCapacity: true)
        var index = 0
        while index < text.count {
            var byte = text[index]
            if byte == UInt8(ascii: "+") {
                byte = UInt8(ascii: " ")
            } else if byte == UInt8(ascii: "%"), index + 2 < text.count, let high = hexValue(text[index + 1]),
                let low = hexValue(text[index + 2])
            {
                byte = high << 4 | low
                index += 2
            }
            scratch.append(byte)
            index += 1
        }
        return String(decoding: scratch, as: UTF8.self)
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
