/// The part of a string that JSON text holds as it is: up to a quote, a backslash or a control character.
struct PlainText {
    /// Where it ends: at the first byte that is not plain, or where the bytes do.
    let end: Int
    let isASCII: Bool

    /// Measures the plain text that begins at `start`.
    init(in bytes: UnsafeRawBufferPointer, from start: Int) {
        var position = start
        var combined: UInt64 = 0
        // Eight bytes at a time, for as long as all of them are plain.
        while bytes.count - position >= 8 {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            guard Self.isPlain(word) else { break }
            combined |= word
            position += 8
        }
        while position < bytes.count, bytes[position].isPlainText {
            combined |= UInt64(bytes[position])
            position += 1
        }
        end = position
        isASCII = combined & Self.highBits == 0
    }

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// Whether none of the eight bytes is a quote, a backslash or a control character.
    private static func isPlain(_ word: UInt64) -> Bool {
        let quotes = word ^ (ones &* UInt64(UInt8.quote))
        let backslashes = word ^ (ones &* UInt64(UInt8.backslash))
        // `(x - 1) & ~x` sets the high bit of a byte that is 0, `(x - 0x20) & ~x` that of one below 0x20. A borrow can
        // set the bit of another byte beside a true one, but none without one.
        let found =
            ((quotes &- ones) & ~quotes)
            | ((backslashes &- ones) & ~backslashes)
            | ((word &- (ones &* 0x20)) & ~word)
        return found & highBits == 0
    }
}

extension UInt8 {
    /// Whether the byte stands in JSON strings as it is.
    var isPlainText: Bool {
        self >= 0x20 && self != .quote && self != .backslash
    }
}
