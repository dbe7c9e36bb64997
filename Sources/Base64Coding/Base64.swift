/// Base64 (RFC 4648), in both of its alphabets.
///
/// It is written with padding or without. It is read with padding or without, and bits that the last digit has to
/// spare are ignored (RFC 4648, sections 3.2 and 3.5).
package enum Base64 {
    /// The 64 digits, and the value of each.
    package struct Alphabet: Sendable {
        fileprivate let digits: [UInt8]
        /// By byte: its value as a digit; ``invalid`` for a byte that is no digit.
        fileprivate let values: [UInt8]

        /// Ends with `+` and `/` (section 4).
        package static let standard = Alphabet(lastDigits: "+/")
        /// Ends with `-` and `_`, which need no escape in a URL or a file's name (section 5).
        package static let urlSafe = Alphabet(lastDigits: "-_")

        private init(lastDigits: String) {
            digits = Array(("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + lastDigits).utf8)
            var values = [UInt8](repeating: invalid, count: 256)
            for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
            self.values = values
        }
    }

    private static let padding = UInt8(ascii: "=")
    private static let invalid: UInt8 = 0xFF
}

// MARK: - Writing

extension Base64 {
    /// The length of the text for so many bytes.
    package static func encodedCount(of count: Int, isPadded: Bool = true) -> Int {
        isPadded ? (count + 2) / 3 * 4 : (count * 4 + 2) / 3
    }

    /// Bytes as text.
    package static func encode(
        _ bytes: some Sequence<UInt8>, _ alphabet: Alphabet = .standard, isPadded: Bool = true
    ) -> String {
        let text = bytes.withContiguousStorageIfAvailable { bytes in
            encode(UnsafeRawBufferPointer(bytes), alphabet, isPadded: isPadded)
        }
        return text ?? Array(bytes).withUnsafeBytes { encode($0, alphabet, isPadded: isPadded) }
    }

    /// Bytes as text.
    package static func encode(
        _ bytes: UnsafeRawBufferPointer, _ alphabet: Alphabet = .standard, isPadded: Bool = true
    ) -> String {
        String(unsafeUninitializedCapacity: encodedCount(of: bytes.count, isPadded: isPadded)) { text in
            encode(bytes, into: UnsafeMutableRawBufferPointer(text), alphabet, isPadded: isPadded)
        }
    }

    /// Writes bytes as text.
    ///
    /// - Parameter output: of ``encodedCount(of:isPadded:)`` bytes at least.
    /// - Returns: how many of these were written.
    package static func encode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ alphabet: Alphabet = .standard,
        isPadded: Bool = true
    ) -> Int {
        var written = 0
        var read = 0
        alphabet.digits.withUnsafeBufferPointer { digits in
            func digit(_ group: UInt32, _ shift: UInt32) -> UInt8 {
                digits[Int(group >> shift & 0x3F)]
            }
            while input.count - read >= 3 {
                let group = UInt32(input[read]) << 16 | UInt32(input[read + 1]) << 8 | UInt32(input[read + 2])
                output[written] = digit(group, 18)
                output[written + 1] = digit(group, 12)
                output[written + 2] = digit(group, 6)
                output[written + 3] = digit(group, 0)
                read += 3
                written += 4
            }
            guard read < input.count else { return }
            let hasTwo = input.count - read == 2
            let group = UInt32(input[read]) << 16 | (hasTwo ? UInt32(input[read + 1]) << 8 : 0)
            output[written] = digit(group, 18)
            output[written + 1] = digit(group, 12)
            written += 2
            if hasTwo {
                output[written] = digit(group, 6)
                written += 1
            }
            guard isPadded else { return }
            for _ in 0..<(hasTwo ? 1 : 2) {
                output[written] = padding
                written += 1
            }
        }
        return written
    }
}

// MARK: - Reading

extension Base64 {
    /// The most bytes that a text of so many characters stands for.
    package static func decodedCapacity(of count: Int) -> Int { (count + 3) / 4 * 3 }

    /// The bytes that a text stands for; nil when it is not base64.
    package static func decode(_ text: some StringProtocol, _ alphabet: Alphabet = .standard) -> [UInt8]? {
        var text = String(text)
        return text.withUTF8 { text in
            var isValid = false
            let bytes = [UInt8](unsafeUninitializedCapacity: decodedCapacity(of: text.count)) { bytes, count in
                let decoded = decode(
                    UnsafeRawBufferPointer(text), into: UnsafeMutableRawBufferPointer(bytes), alphabet)
                isValid = decoded != nil
                count = decoded ?? 0
            }
            return isValid ? bytes : nil
        }
    }

    /// Writes the bytes that a text stands for.
    ///
    /// - Parameter output: of ``decodedCapacity(of:)`` bytes at least.
    /// - Returns: how many of these were written; nil when the text is not base64.
    package static func decode(
        _ text: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ alphabet: Alphabet = .standard
    ) -> Int? {
        var count = text.count
        if count > 0, count % 4 == 0, text[count - 1] == padding {
            count -= text[count - 2] == padding ? 2 : 1
        }
        // Six bits are no byte.
        guard count % 4 != 1 else { return nil }
        var isValid = true
        var group: UInt32 = 0
        var bits: UInt32 = 0
        var written = 0
        alphabet.values.withUnsafeBufferPointer { values in
            for digit in text[..<count] {
                let value = values[Int(digit)]
                if value == invalid { isValid = false }
                group = group << 6 | UInt32(value & 0x3F)
                bits += 6
                if bits >= 8 {
                    bits -= 8
                    output[written] = UInt8(truncatingIfNeeded: group >> bits)
                    written += 1
                }
            }
        }
        return isValid ? written : nil
    }
}
