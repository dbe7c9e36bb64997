import NIOCore
import Synchronization

/// How many connections, or sessions, there are in all and from each address; and how many there may be.
///
/// An IPv6 address counts with the rest of its /64, which is one subscriber's. Addresses of this machine are exempt from
/// the limit for each: what comes from there is a reverse proxy, mostly, or a test.
final class AddressLimits: Sendable {
    private struct Counts {
        var total = 0
        var byAddress: [String: Int] = [:]
    }

    private let maximum: Int
    private let maximumPerAddress: Int
    private let counts = Mutex(Counts())

    init(maximum: Int, perAddress: Int) {
        self.maximum = maximum
        maximumPerAddress = perAddress
    }

    /// Counts one more, unless that would be too many.
    ///
    /// - Returns: whether it was counted; then ``leave(_:)`` has to follow.
    func enter(_ address: SocketAddress?) -> Bool {
        guard hasRoom(for: address) else { return false }
        count(address)
        return true
    }

    /// Whether one more may come.
    func hasRoom(for address: SocketAddress?) -> Bool {
        let key = Self.key(of: address)
        return counts.withLock { counts in
            counts.total < maximum && key.map { counts.byAddress[$0, default: 0] < maximumPerAddress } ?? true
        }
    }

    /// Counts one more, however many there are.
    func count(_ address: SocketAddress?) {
        let key = Self.key(of: address)
        counts.withLock { counts in
            counts.total += 1
            if let key { counts.byAddress[key, default: 0] += 1 }
        }
    }

    func leave(_ address: SocketAddress?) {
        let key = Self.key(of: address)
        counts.withLock { counts in
            counts.total -= 1
            guard let key, let count = counts.byAddress[key] else { return }
            counts.byAddress[key] = count > 1 ? count - 1 : nil
        }
    }

    var total: Int { counts.withLock { $0.total } }

    /// What an address counts as; nil for those that are exempt.
    private static func key(of address: SocketAddress?) -> String? {
        guard let address else { return nil }
        let isV6: Bool
        switch address {
        case .v4: isV6 = false
        case .v6: isV6 = true
        case .unixDomainSocket: return nil
        }
        // Behind family and port, and in IPv6 the flow (RFC 3493 section 3.3).
        var bytes = address.withSockAddr { pointer, size in
            Array(UnsafeRawBufferPointer(start: pointer, count: size).dropFirst(isV6 ? 8 : 4).prefix(isV6 ? 16 : 4))
        }
        if isV6, bytes.starts(with: Self.mappedPrefix) { bytes.removeFirst(Self.mappedPrefix.count) }
        if bytes.count == 4 { return bytes[0] == 127 ? nil : "\(bytes)" }
        return bytes == Self.loopback ? nil : "\(bytes.prefix(8))"
    }

    /// An IPv4 address in IPv6's clothes.
    private static let mappedPrefix: [UInt8] = Array(repeating: 0, count: 10) + [0xFF, 0xFF]
    private static let loopback: [UInt8] = Array(repeating: 0, count: 15) + [1]
}
