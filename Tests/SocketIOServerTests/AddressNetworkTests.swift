import NIOCore
import Testing

@testable import SocketIOServer

@Suite("Classes of addresses")
struct AddressNetworkTests {
    private func address(_ text: String) throws -> SocketAddress { try SocketAddress(ipAddress: text, port: 4711) }

    @Test(
        "an IPv4 address is a network of its own, and the first half of an IPv6 address is one",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.254.253.252", "255.254.253.252"),
            ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8::1", "2001:db8:0:0::/64"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("::1:0:0", "0:0:0:0::/64"),
            ("fe80::ffff:192.0.2.1", "fe80:0:0:0::/64"),
        ])
    func network(text: String, expected: String) throws {
        #expect(try address(text).network?.description == expected)
    }

    @Test("two addresses are of one network exactly when it has the same text")
    func equality() throws {
        let texts = [
            "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2", "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1",
            "::c000:201",
        ]
        for one in texts {
            for two in texts {
                let (one, two) = (try address(one).network, try address(two).network)
                #expect((one == two) == (one?.description == two?.description))
            }
        }
    }

    @Test("a network does not depend on the port")
    func port() throws {
        #expect(
            try SocketAddress(ipAddress: "2001:db8::1", port: 1).network
                == SocketAddress(ipAddress: "2001:db8::1", port: 65_535).network)
    }

    @Test(
        "this machine is 127.0.0.0/8, in its form for IPv6 also, and ::1",
        arguments: [
            ("127.0.0.1", true), ("127.255.8.8", true), ("::1", true), ("::ffff:127.0.0.1", true), ("128.0.0.1", false),
            ("126.0.0.127", false), ("::2", false), ("1::1", false), ("::ffff:128.0.0.1", false),
            ("::127.0.0.1", false),
            ("0.0.0.0", false), ("::", false),
        ])
    func loopback(text: String, isLoopback: Bool) throws {
        #expect(try address(text).isLoopback == isLoopback)
    }

    @Test("a Unix domain socket has no network")
    func unixDomain() throws {
        let address = try SocketAddress(unixDomainSocketPath: "/socket")
        #expect(address.network == nil)
        #expect(!address.isLoopback)
    }
}
