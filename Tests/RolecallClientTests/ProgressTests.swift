import RolecallProtocol
import Testing
import WireJSON

@testable import RolecallClient

@Suite("Progress")
struct ProgressTests {
    @Test("resumes from the position last seen, in an event, an identity or by itself")
    func resumption() {
        var progress = Progress()
        #expect(progress.resumption == nil)
        progress.connected()
        progress.received(identity(ann), at: position(3))
        #expect(progress.resumption == position(3))
        #expect(progress.received(event(5)) == .fresh)
        #expect(progress.resumption == position(5))
        progress.received(position(9))
        #expect(progress.resumption == position(9))
        progress.received(identity(ann), at: nil)
        #expect(progress.resumption == position(9))
    }

    private func told(_ sequence: Int64, in log: Era) -> ModelEvent {
        var told = event(sequence)
        told.position = position(sequence, log: log)
        return told
    }

    @Test("an event at a position where one was told is a duplicate, counted, and moves nothing")
    func duplicates() {
        var progress = Progress()
        progress.connected()
        progress.received(identity(ann), at: position(3))
        #expect(progress.received(event(4)) == .fresh)
        #expect(progress.received(event(5)) == .fresh)
        #expect(progress.received(event(5)) == .duplicate)
        #expect(progress.received(event(4)) == .duplicate)
        #expect(progress.duplicates == 2)
        #expect(progress.resumption == position(5))
        #expect(progress.received(event(6)) == .fresh)
    }

    @Test("an event at a smaller number than the last is shown and resumed from: positions have no order")
    func smallerNumbers() {
        var progress = Progress()
        progress.connected()
        #expect(progress.received(event(50)) == .fresh)
        #expect(progress.received(event(7)) == .fresh)
        #expect(progress.resumption == position(7))
        #expect(progress.duplicates == 0)
    }

    @Test("in a new era of the log smaller numbers are shown, each once, on one connection and on the next")
    func newEra() {
        let era = Era(rawValue: 1)
        var progress = Progress()
        progress.connected()
        for sequence in 50...53 { #expect(progress.received(event(Int64(sequence))) == .fresh) }
        for sequence in 51...52 { #expect(progress.received(told(Int64(sequence), in: era)) == .fresh) }
        #expect(progress.received(told(51, in: era)) == .duplicate)
        #expect(progress.resumption == position(52, log: era))
        progress.connected()
        #expect(progress.received(told(52, in: era)) == .duplicate)
        #expect(progress.received(told(3, in: Era(rawValue: 2))) == .fresh)
        #expect(progress.duplicates == 2)
    }

    @Test("the last thousand events are remembered, and no more: memory is bounded")
    func memory() {
        var progress = Progress()
        progress.connected()
        let last = Int64(5 * Progress.memory)
        for sequence in 1...last { #expect(progress.received(event(sequence)) == .fresh) }
        let first = last - Int64(Progress.memory) + 1
        for sequence in first...last { #expect(progress.received(event(sequence)) == .duplicate) }
        #expect(progress.received(event(first - 1)) == .fresh)
    }

    @Test(
        "a resumption that begins with the event of its own position shows it no second time, whoever showed it first")
    func ownPosition() {
        var progress = Progress(resumption: position(5))
        progress.connected()
        progress.received(identity(ann), at: position(5))
        #expect(progress.received(event(5)) == .duplicate)
        #expect(progress.received(event(6)) == .fresh)
        // A position that came by itself is resumed from as well.
        progress.received(position(9))
        progress.connected()
        #expect(progress.received(event(9)) == .duplicate)
    }

    @Test("a position that came by itself, or with an identity, is not that of an event that was told")
    func barePositions() {
        var progress = Progress()
        progress.connected()
        progress.received(identity(ann), at: position(3))
        #expect(progress.received(event(3)) == .fresh)
        progress.received(position(8))
        #expect(progress.received(event(8)) == .fresh)
    }

    @Test("what a resumed connection tells again is a duplicate, across connections")
    func resumedDuplicates() {
        var progress = Progress()
        progress.connected()
        #expect(progress.received(event(5)) == .fresh)
        progress.connected()
        #expect(progress.received(event(5)) == .duplicate)
        #expect(progress.received(event(6)) == .fresh)
    }

    @Test("missed events that follow an identity of the log's head are not taken for old ones")
    func identityAhead() {
        var progress = Progress(resumption: position(2))
        progress.connected()
        progress.received(identity(ann), at: position(10))
        #expect(progress.received(event(3)) == .fresh)
        #expect(progress.resumption == position(3))
    }

    @Test("a new epoch may tell again what the one before was told")
    func newEpoch() {
        var progress = Progress()
        progress.connected()
        progress.received(identity(nil, epoch: 1), at: position(3))
        #expect(progress.received(event(5)) == .fresh)
        progress.received(identity(ann, epoch: 2), at: position(4))
        #expect(progress.received(event(5)) == .fresh)
        progress.received(identity(ann, epoch: 2), at: position(5))
        #expect(progress.received(event(5)) == .duplicate)
    }

    @Test("after a gap, and in another log, every event is new")
    func gapsAndLogs() {
        var progress = Progress()
        progress.connected()
        #expect(progress.received(event(50)) == .fresh)
        progress.received(Gap(after: nil, before: position(7), reason: .unknown))
        #expect(progress.received(event(7)) == .fresh)
        // An older state of the log reaches the same number anew.
        #expect(progress.received(event(50)) == .fresh)
        var foreign = event(1)
        foreign.position = position(1, log: Era(rawValue: 1))
        #expect(progress.received(foreign) == .fresh)
        #expect(progress.resumption == foreign.position)
    }
}
