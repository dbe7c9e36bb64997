import SocketIOClient
import Testing

@testable import RolecallClient

@Suite("ConnectionMachine")
struct ConnectionMachineTests {
    private static let unreachable = ConnectFailure(kind: .unreachable, description: "Nobody.")

    private static func machine(_ persistence: ConnectionMachine.Persistence) -> ConnectionMachine {
        ConnectionMachine(persistence: persistence, backoff: ReconnectBackoff(jitter: 0))
    }

    @Test("a first connect that nobody answers is tried again, in ever longer intervals up to 30 s")
    func firstConnectRetries() {
        var machine = Self.machine(.forever)
        #expect(machine.start() == .connect(attempt: 1))
        var delays: [Duration] = []
        for attempt in 1...7 {
            guard case .wait(let delay, attempt + 1, "Nobody.") = machine.failed(Self.unreachable) else {
                Issue.record("no wait after attempt \(attempt)")
                return
            }
            delays.append(delay)
            #expect(machine.state == .waiting(attempt: attempt + 1, delay: delay))
            #expect(machine.delayPassed() == .connect(attempt: attempt + 1))
        }
        #expect(delays == [1, 2, 4, 8, 16, 30, 30].map { .seconds($0) })
    }

    @Test("a connection begins the intervals anew")
    func successResets() {
        var machine = Self.machine(.forever)
        _ = machine.start()
        for _ in 0..<4 {
            _ = machine.failed(Self.unreachable)
            _ = machine.delayPassed()
        }
        #expect(machine.connected(socketID: "S") == .listen(socketID: "S"))
        #expect(machine.state == .online(socketID: "S"))
        #expect(machine.lost(reason: "Gone.") == .wait(.seconds(1), attempt: 1, reason: "Gone."))
        #expect(machine.delayPassed() == .connect(attempt: 1))
        guard case .wait(.seconds(2), attempt: 2, _) = machine.failed(Self.unreachable) else {
            Issue.record("the second interval is not 2 s")
            return
        }
    }

    @Test(
        "once means one attempt and one connection",
        arguments: [ConnectFailure.Kind.unreachable, .timedOut, .refused(status: 503), .rejected, .unsuitable])
    func once(kind: ConnectFailure.Kind) {
        var machine = Self.machine(.once)
        let failure = ConnectFailure(kind: kind, description: "No.")
        _ = machine.start()
        #expect(machine.failed(failure) == .end(.neverConnected(failure)))

        machine = Self.machine(.once)
        _ = machine.start()
        _ = machine.connected(socketID: "S")
        #expect(machine.lost(reason: "Gone.") == .end(.lost(reason: "Gone.")))
        #expect(machine.state == .ended(.lost(reason: "Gone.")))

        machine = Self.machine(.once)
        _ = machine.start()
        _ = machine.connected(socketID: "S")
        #expect(machine.lost(reason: "Gone.", wasAskedFor: true) == .end(.closed))
    }

    @Test("a server that said within what time it wants its clients back gets them at random moments of it, once")
    func announcedRestart() {
        var delays: [Duration] = []
        for _ in 0..<50 {
            var machine = Self.machine(.forever)
            _ = machine.start()
            _ = machine.connected(socketID: "S")
            machine.announced(returnWithin: .seconds(4))
            guard case .wait(let delay, attempt: 1, reason: "Gone.") = machine.lost(reason: "Gone.") else {
                Issue.record("It does not wait.")
                return
            }
            delays.append(delay)
            // Nobody there yet: the usual intervals from here.
            _ = machine.delayPassed()
            #expect(machine.failed(Self.unreachable) == .wait(.seconds(1), attempt: 2, reason: "Nobody."))
            _ = machine.delayPassed()
            _ = machine.connected(socketID: "T")
            #expect(machine.lost(reason: "Gone.") == .wait(.seconds(1), attempt: 1, reason: "Gone."))
        }
        #expect(delays.allSatisfy { $0 >= .zero && $0 <= .seconds(4) })
        #expect(delays.contains { $0 < .seconds(2) } && delays.contains { $0 > .seconds(2) })
    }

    @Test("nobody is kept away for longer than a minute by a server's word, and not at all by his own wish")
    func absurdRestart() {
        var machine = Self.machine(.forever)
        _ = machine.start()
        _ = machine.connected(socketID: "S")
        machine.announced(returnWithin: .seconds(Int64.max))
        guard case .wait(let delay, _, _) = machine.lost(reason: "Gone.") else {
            Issue.record("It does not wait.")
            return
        }
        #expect(delay <= .seconds(60))
        _ = machine.delayPassed()
        _ = machine.connected(socketID: "T")
        machine.announced(returnWithin: .seconds(30))
        #expect(machine.lost(reason: "F5", wasAskedFor: true) == .wait(.seconds(1), attempt: 1, reason: "F5"))
    }

    @Test("what waiting can't heal ends a first connect, and no later one")
    func hopelessFirstConnect() {
        for kind in [ConnectFailure.Kind.unsuitable, .refused(status: 403), .refused(status: 404)] {
            let failure = ConnectFailure(kind: kind, description: "No.")
            var machine = Self.machine(.forever)
            _ = machine.start()
            #expect(machine.failed(failure) == .end(.neverConnected(failure)))

            machine = Self.machine(.forever)
            _ = machine.start()
            _ = machine.connected(socketID: "S")
            _ = machine.lost(reason: "Gone.")
            _ = machine.delayPassed()
            guard case .wait = machine.failed(failure) else {
                Issue.record("\(kind) ended a connection that stood once")
                return
            }
        }
        for kind in [ConnectFailure.Kind.timedOut, .rejected, .refused(status: 429), .refused(status: 502)] {
            #expect(ConnectFailure(kind: kind, description: "").mayHeal)
        }
    }

    @Test("closing ends every state, once, and what happens afterwards changes nothing")
    func closing() {
        let reach: [(inout ConnectionMachine) -> Void] = [
            { _ in },
            { _ = $0.start() },
            {
                _ = $0.start(); _ = $0.connected(socketID: "S")
            },
            {
                _ = $0.start(); _ = $0.failed(Self.unreachable)
            },
        ]
        for step in reach {
            var machine = Self.machine(.forever)
            step(&machine)
            #expect(machine.close() == .end(.closed))
            #expect(machine.close() == nil)
            #expect(machine.start() == nil)
            #expect(machine.connected(socketID: "T") == nil)
            #expect(machine.failed(Self.unreachable) == nil)
            #expect(machine.lost(reason: "") == nil)
            #expect(machine.delayPassed() == nil)
            #expect(machine.state == .ended(.closed))
        }
    }

    @Test("an input that does not fit the state changes nothing")
    func misfits() {
        var machine = Self.machine(.forever)
        #expect(machine.connected(socketID: "S") == nil)
        #expect(machine.lost(reason: "") == nil)
        #expect(machine.delayPassed() == nil)
        #expect(machine.state == .idle)
        _ = machine.start()
        #expect(machine.start() == nil)
        #expect(machine.lost(reason: "") == nil)
        _ = machine.connected(socketID: "S")
        #expect(machine.failed(Self.unreachable) == nil)
        #expect(machine.state == .online(socketID: "S"))
    }
}
