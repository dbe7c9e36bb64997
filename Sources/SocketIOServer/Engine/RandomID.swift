/// Session and socket ids: 120 bits from the system's cryptographic generator, as 20 characters of base64url.
enum RandomID {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        var bits = generator.next()
        return String(unsafeUninitializedCapacity: 20) { buffer in
            for index in 0..<20 {
                if index == 10 { bits = generator.next() }
                buffer[index] = alphabet[Int(bits & 63)]
                bits >>= 6
            }
            return 20
        }
    }
}

/// Session ids: random, with the hub that has the session behind it, so that a request which comes in on another event
/// loop finds it without asking all of them.
enum SessionID {
    static func make(hub: Int) -> String {
        RandomID.make() + String(hub, radix: 36)
    }

    /// The hub that an id names; nil for what is no id.
    static func hub(in id: String) -> Int? {
        guard id.utf8.count > 20, id.utf8.count < 28, id.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        return Int(id.dropFirst(20), radix: 36)
    }
}
