import Terminal
import Testing

@Suite("Frame pacer")
struct FramePacerTests {
    private let start = ContinuousClock.now

    /// Runs changes through a pacer, firing its timer when it is due.
    private func paints(
        of changes: [(Duration, FramePacer.Change)], _ pacer: inout FramePacer
    ) -> [Duration] {
        var painted: [Duration] = []
        var timer: ContinuousClock.Instant?
        func apply(_ action: FramePacer.Action, _ now: ContinuousClock.Instant) {
            switch action {
            case .paint: painted.append(now - start)
            case .wait(let until): timer = until
            case .none: break
            }
        }
        for (offset, change) in changes {
            while let due = timer, due <= start + offset {
                timer = nil
                apply(pacer.timerFired(at: due), due)
            }
            apply(pacer.changed(change, at: start + offset), start + offset)
        }
        while let due = timer {
            timer = nil
            apply(pacer.timerFired(at: due), due)
        }
        return painted
    }

    @Test("the first change is painted at once, and so is one after a quiet time")
    func firstAtOnce() {
        var pacer = FramePacer()
        #expect(pacer.changed(at: start) == .paint)
        #expect(pacer.changed(at: start + .seconds(1)) == .paint)
    }

    @Test("changes in between wait for one timer, and the last of them is painted")
    func lastIsPainted() {
        var pacer = FramePacer()
        #expect(pacer.rest(at: start) == .zero)
        #expect(pacer.changed(at: start) == .paint)
        #expect(pacer.changed(at: start + .milliseconds(5)) == .wait(until: start + .milliseconds(125)))
        #expect(pacer.rest(at: start + .milliseconds(5)) == .milliseconds(120))
        #expect(pacer.changed(at: start + .milliseconds(6)) == .none)
        #expect(pacer.timerFired(at: start + .milliseconds(124)) == .wait(until: start + .milliseconds(125)))
        #expect(pacer.timerFired(at: start + .milliseconds(125)) == .paint)
        #expect(pacer.timerFired(at: start + .milliseconds(126)) == .none)
        #expect(pacer.rest(at: start + .milliseconds(251)) == .zero)
    }

    @Test("the answer to a key does not wait behind a flood")
    func urgentGoesFirst() {
        var pacer = FramePacer()
        #expect(pacer.changed(at: start) == .paint)
        #expect(pacer.changed(at: start + .milliseconds(1)) == .wait(until: start + .milliseconds(125)))
        #expect(pacer.changed(.urgent, at: start + .milliseconds(2)) == .paint)
        #expect(pacer.changed(at: start + .milliseconds(3)) == .wait(until: start + .milliseconds(127)))
    }

    @Test("whatever comes, no second has more than thirty frames and the last change is shown", arguments: 0..<30)
    func neverMore(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var now = Duration.zero
        var changes: [(Duration, FramePacer.Change)] = []
        let urgency = Int.random(in: 1...50, using: &generator)
        for _ in 0..<3000 {
            now += .microseconds(Int.random(in: 0...2000, using: &generator))
            changes.append((now, Int.random(in: 0..<urgency, using: &generator) == 0 ? .urgent : .routine))
        }
        var pacer = FramePacer()
        let painted = paints(of: changes, &pacer)
        for index in painted.indices.dropFirst(30) {
            #expect(painted[index] - painted[index - 30] >= .seconds(1))
        }
        #expect(try #require(painted.last) >= now)
        #expect(try #require(painted.last) <= now + .seconds(1))
    }

    @Test("a flood is painted eight times a second, which leaves room for keys")
    func floodRate() {
        var pacer = FramePacer()
        let flood = (0..<4000).map { (Duration.milliseconds($0), FramePacer.Change.routine) }
        let painted = paints(of: flood, &pacer)
        #expect((31...33).contains(painted.count))
    }
}
