import EngineIO
import NIOCore
import NIOEmbedded
import Testing

@testable import SocketIOServer

@Suite("Limits before anybody is known")
struct LimitTests {
    private func address(_ text: String) throws -> SocketAddress { try SocketAddress(ipAddress: text, port: 1) }

    @Test("an address has only so many connections, and all together have")
    func perAddress() throws {
        let limits = AddressLimits(maximum: 5, perAddress: 2)
        let (one, two) = (try address("192.0.2.1"), try address("192.0.2.2"))
        #expect(limits.enter(one) && limits.enter(one) && !limits.enter(one))
        #expect(limits.enter(two) && limits.enter(two) && !limits.enter(two))
        #expect(limits.enter(try address("192.0.2.3")))
        #expect(!limits.enter(try address("192.0.2.4")))
        #expect(limits.total == 5)
        limits.leave(one)
        #expect(limits.enter(one))
        for each in [one, one, two, two, try address("192.0.2.3")] { limits.leave(each) }
        #expect(limits.total == 0)
    }

    @Test("an IPv6 subscriber is one address, an IPv4 address the same in IPv6's clothes, and this machine exempt")
    func kinds() throws {
        let limits = AddressLimits(maximum: 100, perAddress: 1)
        #expect(limits.enter(try address("2001:db8:0:1::1")))
        #expect(!limits.enter(try address("2001:db8:0:1:ffff::2")))
        #expect(limits.enter(try address("2001:db8:0:2::1")))
        #expect(limits.enter(try address("192.0.2.1")))
        #expect(!limits.enter(try address("::ffff:192.0.2.1")))
        for local in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            let address = try address(local)
            #expect(limits.enter(address) && limits.enter(address))
        }
        #expect(limits.enter(nil) && limits.enter(nil))
    }

    @Test("a session too many is refused in words, and there is room again when one has ended")
    func sessions() throws {
        let desk = Desk { $0.maximumConnectionsPerAddress = 2 }
        let handshake = request("GET /socket.io/?EIO=4&transport=polling HTTP/1.1")
        let line = try desk.line()
        try line.receive(handshake)
        let id = try sid(in: #require(try line.sentText().split(separator: "\r\n").last.map(String.init)))
        try line.receive(handshake)
        #expect(try line.sentText().hasPrefix("HTTP/1.1 200 "))
        try line.receive(handshake)
        let refusal = try line.sentText()
        #expect(refusal.hasPrefix("HTTP/1.1 503 "))
        #expect(refusal.hasSuffix(#"{"code":3,"message":"Too many sessions"}"#))
        try line.receive(
            "POST /socket.io/?EIO=4&transport=polling&sid=\(id) HTTP/1.1\r\nContent-Length: 1\r\n\r\n1")
        #expect(try line.sentText().hasSuffix("ok"))
        try line.receive(handshake)
        #expect(try line.sentText().hasPrefix("HTTP/1.1 200 "))
        #expect(desk.hub.connectionCount == 2)
        #expect(desk.server.engine.sessions.total == 2)
    }

    @Test("a meter lets a burst pass, then one event at a time, and a rest earns a burst again")
    func meter() {
        var meter = EventMeter(rate: 10, burst: 3, now: .uptimeNanoseconds(5))
        let start = NIODeadline.uptimeNanoseconds(5)
        for _ in 0..<3 { #expect(meter.count(now: start) == nil) }
        #expect(meter.count(now: start) == .milliseconds(100))
        #expect(meter.count(now: start) == .milliseconds(200))
        #expect(meter.debt(now: start + .milliseconds(50)) == .milliseconds(150))
        #expect(meter.debt(now: start + .milliseconds(200)) == nil)
        #expect(meter.count(now: start + .milliseconds(300)) == nil)
        let rested = start + .seconds(100)
        for _ in 0..<3 { #expect(meter.count(now: rested) == nil) }
        #expect(meter.count(now: rested) != nil)
        var free = EventMeter(rate: 0, burst: 0, now: start)
        for _ in 0..<100 { #expect(free.count(now: start) == nil) }
    }

    @Test("a client that sends too many events is read from more slowly, and every one is handled")
    func tooManyEvents() throws {
        let journal = Journal()
        let desk = Desk(
            Application(onEvent: { event, _ in
                journal.note(event.name)
                return []
            })
        ) {
            $0.maximumEventsPerSecond = 10
            $0.maximumEventBurst = 5
        }
        let line = try desk.connectedLine()
        for number in 0..<10 { try line.say("42[\"\(number)\"]") }
        // The CONNECT was the first of the burst; the sixth event is the one that makes a debt.
        #expect(journal.count == 5)
        #expect(!line.autoRead)
        desk.loop.advanceTime(by: .milliseconds(100))
        #expect(journal.count == 6)
        desk.loop.advanceTime(by: .seconds(2))
        #expect(journal.lines == (0..<10).map(String.init))
        #expect(line.autoRead)
    }
}
