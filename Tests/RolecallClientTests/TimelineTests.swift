import RolecallProtocol
import Testing
import WireJSON

@testable import RolecallClient

@Suite("Timeline")
struct TimelineTests {
    private let now = Timestamp(milliseconds: 0)

    private func note(_ text: String) -> Entry { Entry(time: now, mark: .notice, content: .note(text)) }

    @Test("keeps the newest up to its limit, under numbers that never come again")
    func bound() {
        var timeline = Timeline(limit: 100)
        for number in 0..<5000 { #expect(timeline.append(note("\(number)")) == number) }
        #expect(timeline.count == 100)
        #expect(timeline.ids == 4900..<5000)
        #expect(timeline[4899] == nil)
        guard case .note("4900") = timeline[4900]?.content else {
            Issue.record("The oldest is another one.")
            return
        }
        timeline.clear()
        #expect(timeline.isEmpty)
        #expect(timeline.append(note("x")) == 5000)
    }

    @Test("a flood of large rows is bounded by bytes")
    func bytes() {
        var timeline = Timeline(limit: 10_000, byteLimit: 1 << 20)
        let large = JSON.string(String(repeating: "x", count: 100_000))
        for sequence in 1...100 {
            timeline.append(
                event(Int64(sequence), row: ["_id": .integer(Int64(sequence)), "info": large]), receivedAt: now)
        }
        #expect((5...10).contains(timeline.count), "\(timeline.count)")
    }

    @Test("an update tells what was before, as long as that is kept")
    func versions() throws {
        var timeline = Timeline(limit: 2)
        func update(_ sequence: Int64, _ info: String) -> EventLine? {
            let row: JSON = ["_id": 1, "name": "boiler", "info": .string(info)]
            let id = timeline.append(event(sequence, row: row, by: nil, changed: ["info"]), receivedAt: now)
            return timeline.line(id)
        }
        #expect(update(1, "ok")?.text == #"info "ok""#)
        #expect(update(2, "leak")?.text == #"info "ok"→"leak""#)
        let third = try #require(update(3, "dry"))
        #expect(third.version == 3)
        #expect(third.previous == 1)
        timeline.append(note("a"))
        timeline.append(note("b"))
        #expect(update(4, "wet")?.text == #"info "wet""#, "The version before has gone.")
        timeline.forgetVersions()
        #expect(update(5, "hot")?.previous == nil)
    }

    @Test("an update in which nothing changed says so")
    func nothingChanged() {
        var timeline = Timeline()
        timeline.append(event(1, row: ["_id": 1, "name": "a"], by: nil, changed: []), receivedAt: Stage.wall)
        #expect(timeline.line(0)?.text == "nothing changed")
    }

    @Test("a row that comes back under the key of a removed one is another row")
    func removal() {
        var timeline = Timeline()
        timeline.append(event(1, .created, row: ["_id": 1, "info": "a"]), receivedAt: now)
        let removal = timeline.append(event(2, .removed, row: ["_id": 1]), receivedAt: now)
        #expect(timeline.line(removal)?.previous == 0)
        let again = timeline.append(event(3, .created, row: ["_id": 1, "info": "b"]), receivedAt: now)
        #expect(timeline.line(again)?.previous == nil)
    }

    @Test("texts are made safe when they come, names and models too")
    func safety() throws {
        var timeline = Timeline()
        let hostile = "a\u{1B}]0;x\u{07}\u{202E}"
        let id = timeline.append(
            event(
                1, model: "th\u{9B}ing", row: ["_id": 1, "name": .string(hostile), "info": .string(hostile)],
                changed: ["info"]),
            receivedAt: now)
        let line = try #require(timeline.line(id))
        for text in [line.model, line.label, line.text] {
            #expect(!text.unicodeScalars.contains { $0.isTerminalHazard }, "\(text)")
        }
        #expect(line.marks >= 7)
        #expect(timeline[id]?.mark == .alarm)
    }
}
