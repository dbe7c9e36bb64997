import NIOCore

/// What counts as one address where limits hold for each address: an IPv4 address, or the /64 of an IPv6 address,
/// which is one subscriber's (RFC 6177). An IPv4 address is the same in its form for IPv6, `::ffff:192.0.2.1`.
package struct AddressNetwork: Hashable, Sendable {
    /// The IPv4 address, or the first half of the IPv6 address.
    private let bits: UInt64
    private let isIPv6: Bool

    fileprivate init(_ address: IPAddress) {
        switch address {
        case .v4(let bits): (isIPv6, self.bits) = (false, UInt64(bits))
        case .v6(let high, _): (isIPv6, bits) = (true, high)
        }
    }
}

extension AddressNetwork: CustomStringConvertible {
    /// `192.0.2.1`, or `2001:db8:0:1::/64`.
    package var description: String {
        let groups = stride(from: isIPv6 ? 48 : 24, through: 0, by: isIPv6 ? -16 : -8).map { shift in
            isIPv6 ? String(bits >> shift & 0xFFFF, radix: 16) : String(bits >> shift & 0xFF)
        }
        return isIPv6 ? groups.joined(separator: ":") + "::/64" : groups.joined(separator: ".")
    }
}

extension SocketAddress {
    /// Whether the peer is on this machine: 127.0.0.0/8, in its form for IPv6 also, or ::1.
    package var isLoopback: Bool {
        switch IPAddress(self) {
        case .v4(let bits): bits >> 24 == 127
        case .v6(let high, let low): high == 0 && low == 1
        case nil: false
        }
    }

    /// The network that limits count the address as; nil for a Unix domain socket.
    package var network: AddressNetwork? { IPAddress(self).map(AddressNetwork.init) }
}

/// The bits of an IP address.
private enum IPAddress {
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    /// Nil for a Unix domain socket.
    init?(_ address: SocketAddress) {
        // Behind family and port, and in IPv6 the flow (RFC 3493, section 3.3).
        switch address {
        case .unixDomainSocket:
            return nil
        case .v4:
            self = .v4(Self.load(from: address, at: 4))
        case .v6:
            let (high, low): (UInt64, UInt64) = (Self.load(from: address, at: 8), Self.load(from: address, at: 16))
            let isMapped = high == 0 && low >> 32 == 0xFFFF
            self = isMapped ? .v4(UInt32(truncatingIfNeeded: low)) : .v6(high: high, low: low)
        }
    }

    private static func load<Number: FixedWidthInteger & BitwiseCopyable>(
        from address: SocketAddress, at offset: Int
    ) -> Number {
        address.withSockAddr { pointer, size in
            let bytes = UnsafeRawBufferPointer(start: pointer, count: size)
            return Number(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
        }
    }
}
