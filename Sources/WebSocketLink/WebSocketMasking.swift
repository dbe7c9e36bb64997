/// The masking of RFC 6455 section 5.3, eight bytes at a time. Applying a key twice gives the original back.
enum WebSocketMasking {
    /// Writes `source` combined with `key` to `destination`, which may be the same memory.
    ///
    /// - Parameter key: the masking key, its first byte on the wire being the most significant one.
    static func apply(_ key: UInt32, from source: UnsafeRawBufferPointer, to destination: UnsafeMutableRawBufferPointer)
    {
        let count = min(source.count, destination.count)
        let inMemoryOrder = UInt64(key.bigEndian)
        let pattern = inMemoryOrder | inMemoryOrder << 32
        var offset = 0
        while count - offset >= 8 {
            let word = source.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            destination.storeBytes(of: word ^ pattern, toByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        while offset < count {
            destination[offset] = source[offset] ^ UInt8(truncatingIfNeeded: key >> UInt32(24 - 8 * (offset & 3)))
            offset += 1
        }
    }
}
