import Glibc
import TestSupport
import Testing
import WireJSON

@Suite("The example of a Hummingbird application", .blocks)
struct ExampleTests {
    @Test("its page and its chat are on one port, for stock clients", arguments: StockClient.Transports.allCases)
    func chat(transports: StockClient.Transports) throws {
        let port = try freePort()
        let process = try Process([try Programs.chatExample(), String(port)])
        defer { process.kill() }
        let page = try answer(onPort: port)
        #expect(page.status == 200)
        #expect(page.body == "Connect with a Socket.IO client.\n")

        let report = try StockClient.run("chat", port: port, transports)
        #expect(report["answer"] == ["heard"])
        #expect(report["heard"] == [["/", "said", "hello"]])
        #expect(report["refusal"] == [["message": "Connect with your name."]])
        #expect(report["transport"] == transports.last)

        process.signal(SIGTERM)
        #expect(try process.waitForExit() == 0)
    }

    /// A port that nobody listens on at this moment.
    private func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard isBound else { throw WireFailure("no port: \(String(cString: strerror(errno)))") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// The page, as soon as somebody serves it.
    private func answer(onPort port: Int) throws -> HTTPPeer.Answer {
        let deadline = ContinuousClock.now + Wire.patience
        while true {
            do {
                let peer = try HTTPPeer(port: port)
                defer { peer.wire.close() }
                return try peer.ask("GET", "/")
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
                usleep(20_000)
            }
        }
    }
}
