import TestSupport
import Testing

@testable import RolecallCore

@Suite("What a client that comes back is told, and from when on it is live", .computes)
struct RecoveryMachineTests {
    @Test("what the loop has told is told, and the client goes live in that turn")
    func caughtUp() {
        var machine = RecoveryMachine(after: 5)
        #expect(machine.read(earliest: 1, last: 9, isFull: false, head: 9) == nil)
        #expect(machine.turn(through: machine.covered, watermark: 9) == 6..<10)
        #expect(machine.isLive)
    }

    @Test("what was read ahead of the loop is left to the loop")
    func ahead() {
        var machine = RecoveryMachine(after: 5)
        _ = machine.read(earliest: 1, last: 9, isFull: false, head: 9)
        #expect(machine.turn(through: machine.covered, watermark: 7) == 6..<8)
        #expect(machine.isLive)
    }

    @Test("while the loop is ahead the client is not live, and reading goes on behind what was read")
    func behind() {
        var machine = RecoveryMachine(after: 5)
        _ = machine.read(earliest: 1, last: 9, isFull: true, head: 20)
        #expect(machine.turn(through: machine.covered, watermark: 20) == 6..<10)
        #expect(!machine.isLive)
        #expect(machine.covered == 9)
        // Numbers are missing at the end.
        _ = machine.read(earliest: 1, last: 18, isFull: false, head: 20)
        #expect(machine.covered == 20)
        #expect(machine.turn(through: machine.covered, watermark: 20) == 10..<21)
        #expect(machine.isLive)
    }

    @Test("nothing new: live at once, and nothing is told")
    func nothing() {
        var machine = RecoveryMachine(after: 5)
        _ = machine.read(earliest: 1, last: nil, isFull: false, head: 5)
        #expect(machine.turn(through: machine.covered, watermark: 5).isEmpty)
        #expect(machine.isLive)
    }

    @Test("what was pruned meanwhile is said to be lost, once")
    func pruned() {
        var machine = RecoveryMachine(after: 5)
        #expect(
            machine.read(earliest: 9, last: 12, isFull: true, head: 20)
                == RecoveryMachine.Lost(after: 5, through: 8))
        #expect(machine.turn(through: machine.covered, watermark: 20) == 9..<13)
        #expect(machine.read(earliest: 9, last: 20, isFull: false, head: 20) == nil)
        #expect(machine.turn(through: machine.covered, watermark: 20) == 13..<21)
        #expect(machine.isLive)
    }

    /// A log that grows and is pruned, a loop that tells it at its own pace, and a client that comes back in between.
    @Test("over both tellers a client is told all that it missed and all that follows, once, in order")
    func random() {
        var (live, lostOnes) = (0, 0)
        for seed in 0..<20_000 {
            var random = Seeded(UInt64(seed))
            var log: [Int64] = (1...Int64(1 + random.below(12))).filter { _ in random.below(4) > 0 }
            var head = max(log.last ?? 0, Int64(random.below(3)))
            var earliest: Int64 = 1
            var watermark = Int64(random.below(Int(head) + 1))
            let start = Int64(random.below(Int(watermark) + 1))
            var machine = RecoveryMachine(after: start)
            var told: [Int64] = []
            var lost: [ClosedRange<Int64>] = []
            var all = log

            func happen() {
                if random.below(2) == 0 {
                    head += 1 + Int64(random.below(2))
                    log.append(head)
                    all.append(head)
                }
                if random.below(2) == 0 {
                    // The loop's own telling: who is live hears it.
                    let next = min(head, watermark + Int64(random.below(4)))
                    if machine.isLive { told += log.filter { $0 > watermark && $0 <= next } }
                    watermark = next
                }
                // Only what every loop has told is pruned.
                if random.below(6) == 0 {
                    earliest = max(earliest, Int64(random.below(Int(watermark) + 1)) + 1)
                    log.removeAll { $0 < earliest }
                }
            }

            var turns = 0
            while !machine.isLive {
                turns += 1
                let limit = 1 + random.below(4)
                let events = Array(log.filter { $0 > max(machine.covered, earliest - 1) }.prefix(limit))
                if let gap = machine.read(
                    earliest: earliest, last: events.last, isFull: events.count == limit, head: head)
                {
                    lost.append(gap.after + 1...gap.through)
                    lostOnes += 1
                }
                // A long read is told in parts; each waits for the loop.
                if events.count > 2 {
                    let end = events[events.count / 2]
                    while watermark < end { happen() }
                    let range = machine.turn(through: end, watermark: watermark)
                    told += events.filter(range.contains)
                    happen()
                    if machine.isLive { break }
                }
                happen()
                if machine.isLive { break }
                let range = machine.turn(through: machine.covered, watermark: watermark)
                told += events.filter(range.contains)
                // Else a log that grows faster than it is read would never end here.
                if turns < 50 || machine.isLive { happen() }
            }
            for _ in 0..<5 { happen() }
            if machine.isLive { told += log.filter { $0 > watermark && $0 <= head } }
            live += 1
            let expected = all.filter { number in number > start && !lost.contains { $0.contains(number) } }
            guard told == expected else {
                Issue.record("seed \(seed): told \(told), not \(expected); lost \(lost)")
                return
            }
        }
        #expect(live == 20_000 && lostOnes > 500, "\(lostOnes)")
    }
}
