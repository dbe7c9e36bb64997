import Foundation
import Glibc
import Testing

/// HAProxy in front of a server, with one pool of connections to it that all clients share.
final class Proxy {
    let port: Int
    private let process: Process
    private let configuration: URL

    init(inFrontOf server: Int) throws {
        let program = try Programs.haproxy()
        configuration = FileManager.default.temporaryDirectory.appendingPathComponent(
            "conformance-\(UUID().uuidString).cfg")
        port = try Self.freePort()
        try Self.text(port: port, server: server).write(to: configuration, atomically: true, encoding: .utf8)
        // The shell ends when its standard input does, and the proxy with it.
        let script = #""$0" -q -db -f "$1" </dev/null & read -r line; kill $!; wait $!"#
        process = try Process(["/bin/sh", "-c", script, program, configuration.path])
        try eventually("HAProxy listens") { (try? Wire(port: port)) != nil }
    }

    deinit {
        process.write(line: "end")
        _ = try? process.waitForExit()
        try? FileManager.default.removeItem(at: configuration)
    }

    /// One thread, so that each connection of the pool is at hand for each request.
    private static func text(port: Int, server: Int) -> String {
        """
        global
            nbthread 1
            maxconn 4000
        defaults
            mode http
            option http-keep-alive
            http-reuse always
            timeout connect 10s
            timeout client 120s
            timeout server 120s
            timeout tunnel 120s
        frontend clients
            bind 127.0.0.1:\(port)
            default_backend servers
        backend servers
            server fixture 127.0.0.1:\(server)

        """
    }

    /// A port that nobody listens on at this moment.
    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) + getsockname(descriptor, $0, &length)
            }
        }
        guard descriptor >= 0, result == 0 else { throw WireFailure("no port: \(String(cString: strerror(errno)))") }
        return Int(in_port_t(bigEndian: address.sin_port))
    }
}

/// Runs a body with a server of its own, of which `port` leads through HAProxy.
func withProxiedFixture(_ body: (FixtureProcess) throws -> Void) throws {
    try withFixture { fixture in
        let proxy = try Proxy(inFrontOf: fixture.port)
        fixture.port = proxy.port
        try withExtendedLifetime(proxy) { try body(fixture) }
    }
}
