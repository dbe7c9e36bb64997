/// Which data these are, for as long as they are: a server's users, rows and log keep it through every restart, backup
/// and fail-over. What must outlive an era (tickets, remembered interests) is bound to it.
public struct StoreID: Hashable, Sendable, CustomStringConvertible {
    /// 32 lower-case hexadecimal digits.
    public let description: String

    /// Nil for a text that is none.
    public init?(_ text: String) {
        let digits = Set("0123456789abcdef".utf8)
        guard text.utf8.count == 32, text.utf8.allSatisfy(digits.contains) else { return nil }
        description = text
    }

    public static func random() -> StoreID {
        var random = SystemRandomNumberGenerator()
        let digits = Array("0123456789abcdef".utf8)
        let text = (0..<32).map { _ in digits[Int(random.next() % 16)] }
        return StoreID(unchecked: String(decoding: text, as: UTF8.self))
    }

    private init(unchecked text: String) { description = text }
}
