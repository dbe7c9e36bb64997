import NIOCore
import Synchronization

/// How many connections, or sessions, there are in all and from each address; and how many there may be.
///
/// An address counts as its ``AddressNetwork``. Addresses of this machine are exempt from the limit for each address: the
/// peer there is a reverse proxy as a rule, which brings the connections of many clients.
final class AddressLimits: Sendable {
    private struct Counts {
        var total = 0
        var byNetwork: [AddressNetwork: Int] = [:]
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
        let network = Self.limitedNetwork(of: address)
        return counts.withLock { counts in
            counts.total < maximum && network.map { counts.byNetwork[$0, default: 0] < maximumPerAddress } ?? true
        }
    }

    /// Counts one more, however many there are.
    func count(_ address: SocketAddress?) {
        let network = Self.limitedNetwork(of: address)
        counts.withLock { counts in
            counts.total += 1
            if let network { counts.byNetwork[network, default: 0] += 1 }
        }
    }

    func leave(_ address: SocketAddress?) {
        let network = Self.limitedNetwork(of: address)
        counts.withLock { counts in
            counts.total -= 1
            guard let network, let count = counts.byNetwork[network] else { return }
            counts.byNetwork[network] = count > 1 ? count - 1 : nil
        }
    }

    var total: Int { counts.withLock { $0.total } }

    /// Nil for an address that is exempt from the limit for each address.
    private static func limitedNetwork(of address: SocketAddress?) -> AddressNetwork? {
        address.flatMap { $0.isLoopback ? nil : $0.network }
    }
}
