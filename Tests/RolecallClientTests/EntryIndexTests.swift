import RolecallProtocol
import TestSupport
import Testing

@testable import RolecallClient

@Suite("EntryIndex")
struct EntryIndexTests {
    private func note(_ text: String) -> Entry {
        Entry(time: Stage.wall, mark: .notice, content: .note(text))
    }

    @Test("of each entry it is asked once, as it comes")
    func once() {
        var timeline = Timeline(limit: 5)
        var index = EntryIndex()
        var asked: [Int] = []
        for number in 0..<12 {
            timeline.append(note("\(number)"))
            index.update(timeline) { id, _ in
                asked.append(id)
                return id % 3 == 0
            }
            index.update(timeline) { _, _ in
                Issue.record("It was asked again.")
                return true
            }
        }
        #expect(asked == Array(0..<12))
        #expect((0..<index.count).map { index[$0] } == [9])
    }

    @Test("whatever comes and goes, it holds what a search through the timeline would find", .computes)
    func model() {
        var generator = Seeded(11)
        for _ in 0..<40 {
            var timeline = Timeline(limit: Int.random(in: 1...60, using: &generator))
            var index = EntryIndex()
            for step in 0..<200 {
                switch Int.random(in: 0..<30, using: &generator) {
                case 0: timeline.clear()
                case 1...6: for _ in 0..<9 { timeline.append(note("x")) }
                default: timeline.append(note("x"))
                }
                guard step % 2 == 0 else { continue }
                index.update(timeline) { id, _ in id % 7 < 3 }
                let expected = timeline.ids.filter { $0 % 7 < 3 }
                #expect((0..<index.count).map { index[$0] } == expected)
                #expect(index.first == expected.first)
                #expect(index.last == expected.last)
                let id = Int.random(in: -1...(timeline.ids.upperBound + 1), using: &generator)
                #expect(index.contains(id) == expected.contains(id))
                #expect(index.count(before: id) == expected.filter { $0 < id }.count)
                #expect(index.count(after: id) == expected.filter { $0 > id }.count)
            }
        }
    }
}
