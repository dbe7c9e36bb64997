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
