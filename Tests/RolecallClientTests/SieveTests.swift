import RolecallProtocol
import Terminal
import TestSupport
import Testing
import WireJSON

@testable import RolecallClient

@Suite("Sieve")
struct SieveTests {
    /// What is listed, asked of every entry anew.
    private func expected(_ state: ScreenState) -> [Int] {
        state.timeline.ids.filter { id in
            guard let entry = state.timeline[id], state.sieve.tab.holds(entry) else { return false }
            guard case .event(let line) = entry.content, !state.sieve.isDimming else { return true }
            return state.sieve.effective.allSatisfy { $0.lets(line) }
        }
    }

    private func isHit(_ id: Int, _ state: ScreenState) -> Bool {
        guard let entry = state.timeline[id], let search = state.search else { return false }
        return search.pattern.holds(for: entry)
    }

    @Test(
        "whatever is typed, switched, told and forgotten, what is listed is what matches, and the hits are among it",
        .computes)
    func model() {
        var random = Seeded(7)
        let queries = [
            "-op:removed", "model:message", "pump", "name~1", "who:ann", "since:1h", "-who:ann", "op:save x",
        ]
        for _ in 0..<12 {
            var stage = Stage(columns: 90, rows: 22, buffer: 20 + random.below(60))
            stage.connect(as: ann)
            var sequence: Int64 = 2
            for _ in 0..<250 {
                switch random.below(24) {
                case 0:
                    stage.press(.escape, .function(4))
                    stage.type(queries[random.below(queries.count)])
                    if random.below(3) > 0 { stage.press(random.below(3) == 0 ? .escape : .enter) }
                case 1:
                    stage.press(.escape, .function(3))
                    stage.type(["pump", "word", "op:removed", "1"][random.below(4)])
                    if random.below(3) > 0 { stage.press(random.below(3) == 0 ? .escape : .enter) }
                case 2: stage.press(.alt("1"))
                case 3: stage.press(.alt("2"))
                case 4: stage.press(.alt("3"))
                case 5: stage.press(.escape, .escape, .character("c"))
                case 6:
                    stage.press(
                        .escape, .escape, .character("F"),
                        .character("tD f"["tD f".index("tD f".startIndex, offsetBy: random.below(3))]), .escape)
                case 7: stage.state.timeline.clear()
                case 8:
                    stage.press(
                        [.up, .down, .pageUp, .pageDown, .home, .end, .character("n"), .character("N")][random.below(8)]
                    )
                case 9: stage.resize([30, 60, 90, 120][random.below(4)], [8, 18, 22, 36][random.below(4)])
                default:
                    for _ in 0..<(1 + random.below(5)) {
                        sequence += 1
                        switch random.below(4) {
                        case 0: stage.tell(.event(chat(sequence, "word \(sequence)")))
                        case 1: stage.tell(.event(event(sequence, .removed, row: ["_id": .integer(sequence)], by: nil)))
                        case 2: stage.tell(.other(name: "note", arguments: []))
                        default:
                            stage.tell(.event(event(sequence, row: ["_id": 1, "name": .string("pump \(sequence)")])))
                        }
                    }
                }
                stage.act(.tick)
                let state = stage.state
                let expected = expected(state)
                var walked: [Int] = []
                var id = state.firstShown
                while let current = id {
                    walked.append(current)
                    id = state.shown(after: current)
                }
                #expect(walked == expected)
                #expect(state.lastShown == expected.last)
                if let search = state.search {
                    let hits = (0..<search.hits.count).compactMap { search.hits[$0] }
                    #expect(hits == expected.filter { isHit($0, state) })
                }
                if let selected = state.selected { #expect(expected.contains(selected)) }
                #expect((state.selected == nil) == expected.isEmpty)
                if !expected.isEmpty, Layout(state).list.rows > 0 { #expect(!stage.shownEntries.isEmpty) }
                #expect(stage.shownEntries.allSatisfy(expected.contains))
                for id in expected.prefix(3) { #expect(state.shown(before: id) == expected.last { $0 < id }) }
            }
        }
    }
}
