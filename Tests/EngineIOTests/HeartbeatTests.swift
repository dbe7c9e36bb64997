import EngineIO
import NIOCore
import TestSupport
import Testing

@Suite struct HeartbeatMachineTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func at(_ milliseconds: Int64) -> NIODeadline {
        start + .milliseconds(milliseconds)
    }

    private func started(interval: Int64 = 300, timeout: Int64 = 200) -> HeartbeatMachine {
        var machine = HeartbeatMachine(
            pingInterval: .milliseconds(interval),
            pingTimeout: .milliseconds(timeout)
        )
        #expect(machine.started(now: at(0)) == at(interval))
        return machine
    }

    @Test("before the session is open nothing is due")
    func stopped() {
        var machine = HeartbeatMachine(pingInterval: .milliseconds(300), pingTimeout: .milliseconds(200))
        #expect(machine.tick(now: at(9999)) == .wait(until: .distantFuture))
        machine.pongReceived(now: at(9999))
        #expect(machine.state == .stopped)
    }

    @Test("a ping is sent at the interval, and the next one an interval after the pong")
    func cycle() {
        var machine = started()
        #expect(machine.tick(now: at(0)) == .wait(until: at(300)))
        #expect(machine.tick(now: at(299)) == .wait(until: at(300)))
        #expect(machine.tick(now: at(300)) == .sendPing(nextWake: at(500)))
        #expect(machine.state == .awaitingPong(deadline: at(500)))
        machine.pongReceived(now: at(340))
        #expect(machine.state == .idle(nextPing: at(640)))
        #expect(machine.tick(now: at(500)) == .wait(until: at(640)))
        #expect(machine.tick(now: at(640)) == .sendPing(nextWake: at(840)))
    }

    @Test("a peer that does not answer within the timeout is gone, and stays gone")
    func timeout() {
        var machine = started()
        #expect(machine.tick(now: at(300)) == .sendPing(nextWake: at(500)))
        #expect(machine.tick(now: at(499)) == .wait(until: at(500)))
        #expect(machine.tick(now: at(500)) == .timedOut)
        #expect(machine.tick(now: at(501)) == .timedOut)
    }

    @Test("the timeout counts from the ping that was sent, however late that was")
    func latePing() {
        var machine = started()
        #expect(machine.tick(now: at(450)) == .sendPing(nextWake: at(650)))
        #expect(machine.tick(now: at(649)) == .wait(until: at(650)))
        #expect(machine.tick(now: at(650)) == .timedOut)
    }

    @Test("a pong that nobody asked for does not put off the next ping")
    func unaskedPong() {
        var machine = started()
        machine.pongReceived(now: at(250))
        #expect(machine.tick(now: at(300)) == .sendPing(nextWake: at(500)))
        machine.pongReceived(now: at(310))
        machine.pongReceived(now: at(500))
        #expect(machine.tick(now: at(610)) == .sendPing(nextWake: at(810)))
    }

    @Test("with one timer set as the machine says, no ping is late, whatever interval, timeout and answer", .computes)
    func oneTimer() {
        var random = Seeded(0xBEA7)
        for _ in 0..<2000 {
            let interval = Int64(1 + random.below(50))
            let timeout = Int64(1 + random.below(50))
            var machine = HeartbeatMachine(
                pingInterval: .milliseconds(interval),
                pingTimeout: .milliseconds(timeout)
            )
            var wake = machine.started(now: at(0))
            var pingDue: NIODeadline? = at(interval)
            var pongAt: NIODeadline?
            for now in (0...400).map({ at($0) }) {
                if now == pongAt {
                    machine.pongReceived(now: now)
                    pongAt = nil
                    pingDue = now + .milliseconds(interval)
                }
                guard now == wake else { continue }
                switch machine.tick(now: now) {
                case .sendPing(let next):
                    #expect(now == pingDue)
                    pingDue = nil
                    pongAt = now + .milliseconds(Int64(1 + random.below(Int(timeout))))
                    if pongAt == now + .milliseconds(timeout) { pongAt = nil }
                    wake = next
                case .wait(let until):
                    #expect(until > now)
                    wake = until
                case .timedOut:
                    #expect(pongAt == nil && pingDue == nil)
                    wake = .distantFuture
                    pingDue = nil
                }
            }
        }
    }
}

@Suite struct HeartbeatMonitorTests {
    private func at(_ milliseconds: Int64) -> NIODeadline {
        .uptimeNanoseconds(1_000_000_000) + .milliseconds(milliseconds)
    }

    @Test("a server that is silent for interval and timeout together is gone")
    func silence() {
        let handshake = EngineHandshake(sid: "a", upgrades: [], pingInterval: 300, pingTimeout: 200)
        var monitor = HeartbeatMonitor(handshake)
        #expect(monitor.patience == .milliseconds(500))
        monitor.pingReceived(now: at(0))
        #expect(monitor.tick(now: at(9999)) == .wait(until: .distantFuture))
        #expect(monitor.started(now: at(0)) == at(500))
        #expect(monitor.tick(now: at(499)) == .wait(until: at(500)))
        monitor.pingReceived(now: at(300))
        #expect(monitor.tick(now: at(500)) == .wait(until: at(800)))
        #expect(monitor.tick(now: at(800)) == .timedOut)
        #expect(monitor.tick(now: at(900)) == .timedOut)
    }
}
