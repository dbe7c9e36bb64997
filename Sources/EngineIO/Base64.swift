import NIOCore

/// Base64 (RFC 4648, section 4), for binary packets in polling bodies.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")
    private static let invalid: UInt8 = 0xFF

    /// The value of each byte as a digit, `invalid` for bytes outside the alphabet.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: invalid, count: 256)
        for (value, digit) in alphabet.enumerated() {
            values[Int(digit)] = UInt8(value)
        }
        return values
    }()

    /// The length of the text for so many bytes, padding included.
    static func encodedSize(of count: Int) -> Int {
        (count + 2) / 3 * 4
    }

    /// Writes the readable bytes as text, padded.
    static func encode(_ bytes: ByteBuffer, into buffer: inout ByteBuffer) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: encodedSize(of: bytes.readableBytes)) { output in
            bytes.withUnsafeReadableBytes { input in
                encode(input, into: output)
            }
        }
    }

    private static func encode(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
        var written = 0
        var read = 0
        alphabet.withUnsafeBufferPointer { alphabet in
            func digit(_ group: UInt32, _ shift: UInt32) -> UInt8 {
                alphabet[Int(group >> shift & 0x3F)]
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
            output[written + 2] = hasTwo ? digit(group, 6) : padding
            output[written + 3] = padding
            written += 4
        }
        return written
    }

    /// Decodes the readable bytes; nil when they are not base64. Padding may be left out; bits that the last digit has
    /// to spare are ignored.
    static func decode(_ text: ByteBuffer) -> ByteBuffer? {
        text.withUnsafeReadableBytes { input in
            var count = input.count
            if count > 0, count % 4 == 0, input[count - 1] == padding {
                count -= input[count - 2] == padding ? 2 : 1
            }
            guard count % 4 != 1 else { return nil }
            return decode(UnsafeRawBufferPointer(rebasing: input[..<count]))
        }
    }

    private static func decode(_ digits: UnsafeRawBufferPointer) -> ByteBuffer? {
        var isValid = true
        var output = ByteBuffer()
        let capacity = digits.count / 4 * 3 + 2
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: capacity) { output in
            var group: UInt32 = 0
            var bits = 0
            var written = 0
            values.withUnsafeBufferPointer { values in
                for digit in digits {
                    let value = values[Int(digit)]
                    if value == invalid { isValid = false }
                    group = group << 6 | UInt32(value & 0x3F)
                    bits += 6
                    if bits >= 8 {
                        bits -= 8
                        output[written] = UInt8(truncatingIfNeeded: group >> UInt32(bits))
                        written += 1
                    }
                }
            }
            return written
        }
        return isValid ? output : nil
    }
}
