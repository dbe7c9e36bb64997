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

    @Test("an event at or before the last one is a duplicate, counted, and moves nothing")
    func duplicates() {
        var progress = Progress()
        progress.connected()
        progress.received(identity(ann), at: position(3))
        #expect(progress.received(event(5)) == .fresh)
        #expect(progress.received(event(5)) == .duplicate)
        #expect(progress.received(event(4)) == .duplicate)
        #expect(progress.duplicates == 2)
        #expect(progress.resumption == position(5))
        #expect(progress.received(event(6)) == .fresh)
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
        var foreign = event(1)
        foreign.position = position(1, log: LogID(rawValue: 1))
        #expect(progress.received(foreign) == .fresh)
        #expect(progress.resumption == foreign.position)
    }
}
