import NIOCore

/// Validates UTF-8 that arrives in pieces, so that a fragmented text is refused at the fragment which breaks it.
///
/// The ranges are those of the Unicode standard's table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
struct UTF8Validator: Sendable {
    /// How many continuation bytes the character that was begun still needs.
    private var missing: UInt8 = 0
    /// What the next continuation byte may be.
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xBF

    /// Whether what was consumed so far ends with a whole character.
    var isAtBoundary: Bool { missing == 0 }

    /// False as soon as the bytes can't be a part of any valid text.
    mutating func consume(_ buffer: ByteBuffer) -> Bool {
        buffer.withUnsafeReadableBytes { consume($0) }
    }

    mutating func consume(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        let count = bytes.count
        while offset < count {
            if missing == 0 {
                while count - offset >= 8,
                    bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
                {
                    offset += 8
                }
                guard offset < count else { break }
                guard begin(with: bytes[offset]) else { return false }
            } else {
                let byte = bytes[offset]
                guard byte >= lowest, byte <= highest else { return false }
                missing -= 1
                (lowest, highest) = (0x80, 0xBF)
            }
            offset += 1
        }
        return true
    }

    private mutating func begin(with byte: UInt8) -> Bool {
        switch byte {
        case 0x00...0x7F: break
        case 0xC2...0xDF: missing = 1
        case 0xE0: (missing, lowest) = (2, 0xA0)
        case 0xED: (missing, highest) = (2, 0x9F)
        case 0xE1...0xEF: missing = 2
        case 0xF0: (missing, lowest) = (3, 0x90)
        case 0xF1...0xF3: missing = 3
        case 0xF4: (missing, highest) = (3, 0x8F)
        default: return false
        }
        return true
    }
}
