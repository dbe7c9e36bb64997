import Base64Coding

/// Session and socket ids: 120 bits from the system's cryptographic generator.
enum RandomID {
    /// The size of the random part of an id, in bytes.
    static let size = 15

    /// An id as 20 characters of base64url.
    static func make() -> String {
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { bytes in
            fill(bytes)
            return Base64.encode(UnsafeRawBufferPointer(rebasing: bytes[..<size]), .urlSafe, isPadded: false)
        }
    }

    /// Fills the first 16 bytes, of which an id has the first ``size``.
    static func fill(_ bytes: UnsafeMutableRawBufferPointer) {
        var generator = SystemRandomNumberGenerator()
        bytes.storeBytes(of: generator.next(), toByteOffset: 0, as: UInt64.self)
        bytes.storeBytes(of: generator.next(), toByteOffset: 8, as: UInt64.self)
    }
}
