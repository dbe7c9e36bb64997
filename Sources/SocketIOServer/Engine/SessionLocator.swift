import Base64Coding

/// Where a session lives, as far as its id says.
enum SessionHome {
    /// On an event loop of this server. Whether the session is still there, the loop's hub knows.
    case loop(SocketHub)
    /// Nowhere: this server has made no such id.
    case unknown
}

/// Makes session ids, and answers where the session of an id lives. Nothing else knows what an id consists of.
///
/// An id is base64url of 21 bytes: 15 random ones, 2 that name the session's event loop, and 4 of a code over those
/// before. The 2 bytes are masked; mask and code are keyed hashes of what stands before them. So an id does not show
/// the loop to a client, and an id that was forged or altered is unknown on the loop that received it: no other loop
/// is asked.
///
/// The code protects the loops' time and no session: a session is found by its whole id, whose 120 random bits cannot
/// be guessed. For that the standard library's hash (SipHash-1-3) with a random key is enough. Ids are valid within
/// the process that made them, as the sessions are.
struct SessionLocator: Sendable {
    private enum Layout {
        static let loop = RandomID.size..<RandomID.size + 2
        static let code = loop.upperBound..<loop.upperBound + 4
        static let size = code.upperBound
        static let textSize = Base64.encodedCount(of: size, isPadded: false)
        /// Room for a whole number of digits.
        static let capacity = Base64.decodedCapacity(of: textSize)
    }

    private let hubs: [SocketHub]
    private let key: (UInt64, UInt64)

    /// - Parameter hubs: each at its ``SocketHub/index``; 65,536 at most.
    init(hubs: [SocketHub]) {
        precondition(hubs.count <= 1 << 16, "an id has two bytes for the event loop")
        self.hubs = hubs
        var generator = SystemRandomNumberGenerator()
        key = (generator.next(), generator.next())
    }

    /// A new id, of a session that lives on a hub's event loop.
    func makeID(on hub: SocketHub) -> String {
        withUnsafeTemporaryAllocation(byteCount: Layout.capacity, alignment: 8) { bytes in
            RandomID.fill(bytes)
            var hash = Hash(key: key, of: bytes[..<Layout.loop.lowerBound])
            Self.store(UInt16(hub.index) ^ UInt16(truncatingIfNeeded: hash.value), in: bytes, at: Layout.loop)
            hash.combine(bytes[Layout.loop])
            Self.store(UInt32(truncatingIfNeeded: hash.value), in: bytes, at: Layout.code)
            return Base64.encode(UnsafeRawBufferPointer(rebasing: bytes[..<Layout.size]), .urlSafe, isPadded: false)
        }
    }

    /// Where the session of an id lives, whatever text a client sends as an id.
    func home(of id: String) -> SessionHome {
        guard id.utf8.count == Layout.textSize else { return .unknown }
        var id = id
        return id.withUTF8 { text in
            withUnsafeTemporaryAllocation(byteCount: Layout.capacity, alignment: 8) { bytes in
                let size = Base64.decode(UnsafeRawBufferPointer(text), into: bytes, .urlSafe)
                return size == Layout.size ? home(of: bytes) : .unknown
            }
        }
    }

    private func home(of bytes: UnsafeMutableRawBufferPointer) -> SessionHome {
        var hash = Hash(key: key, of: bytes[..<Layout.loop.lowerBound])
        let mask = UInt16(truncatingIfNeeded: hash.value)
        hash.combine(bytes[Layout.loop])
        let code = bytes.loadUnaligned(fromByteOffset: Layout.code.lowerBound, as: UInt32.self)
        guard code == UInt32(truncatingIfNeeded: hash.value) else { return .unknown }
        let index = Int(bytes.loadUnaligned(fromByteOffset: Layout.loop.lowerBound, as: UInt16.self) ^ mask)
        return hubs.indices.contains(index) ? .loop(hubs[index]) : .unknown
    }

    private static func store<Number: FixedWidthInteger & BitwiseCopyable>(
        _ number: Number, in bytes: UnsafeMutableRawBufferPointer, at place: Range<Int>
    ) {
        bytes.storeBytes(of: number, toByteOffset: place.lowerBound, as: Number.self)
    }
}

/// A keyed hash of bytes that can be read at any point.
private struct Hash {
    private var hasher = Hasher()

    init(key: (UInt64, UInt64), of bytes: Slice<UnsafeMutableRawBufferPointer>) {
        hasher.combine(key.0)
        hasher.combine(key.1)
        combine(bytes)
    }

    mutating func combine(_ bytes: Slice<UnsafeMutableRawBufferPointer>) {
        hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: bytes))
    }

    /// Of all that has been combined.
    var value: Int { hasher.finalize() }
}
