import Foundation
import RolecallProtocol
import Terminal
import TestSupport
import Testing
import WireJSON

@testable import RolecallClient

/// How many events a screen is flooded with. `ROLECALL_EVENTS=1000000` is the promise; a debug build takes a minute
/// for that.
private let flood = ProcessInfo.processInfo.environment["ROLECALL_EVENTS"].flatMap { Int($0) } ?? 100_000

@Suite("A flood of events", .computes)
struct MillionTests {
    private static let limit = 2000

    @Test("is kept as far as the ring is long, in memory that does not grow, with every count, mark and version right")
    func ring() throws {
        var watched = WatchedStage(Size(columns: 80, rows: 24), buffer: Self.limit)
        watched.stage.connect(as: root)
        watched.scene = "the flood"
        watched.stage.type("f")
        watched.stage.type("op:created")
        watched.stage.press(.enter, .character("/"))
        watched.stage.type("fan")
        watched.stage.press(.enter, .end)
        watched.stage.tell(.event(created(1)))
        watched.stage.press(.up, .character("m"), .character("a"), .end)
        let first = try #require(watched.stage.state.marks["a"])
        var resident: [Int] = []
        for number in 2...flood {
            watched.stage.tell(.event(number % 3 == 0 ? updated(number) : created(number)))
            if number % (flood / 20) == 0 {
                watched.look(after: "\(number)")
                resident.append(Self.residentBytes)
            }
        }
        let state = watched.stage.state
        #expect(state.timeline.count == Self.limit)
        #expect(state.timeline.ids.upperBound >= flood)
        try counts(state)
        // From the second tenth on the ring is full, and what follows replaces what was.
        let growth = (resident.last ?? 0) - resident[2]
        #expect(growth < 24 << 20, "\(resident.map { $0 >> 20 }) MB")

        watched.isForeign = true
        #expect(state.timeline[first] == nil)
        watched.press(.character("'"), .character("a"))
        #expect(watched.stage.screen.contains("no longer in the list"))
        #expect(watched.stage.state.marks["a"] == nil)
        pages(&watched)
        try versions(&watched)
    }

    private func created(_ number: Int) -> ModelEvent {
        event(
            Int64(number), .created,
            row: ["_id": .integer(Int64(number)), "name": .string(number % 7 == 0 ? "fan" : "boiler"), "active": true])
    }

    /// Of the row that was created by the event before.
    private func updated(_ number: Int) -> ModelEvent {
        event(
            Int64(number), row: ["_id": .integer(Int64(number - 1)), "name": "boiler", "active": false],
            changed: ["active"])
    }

    /// What the filter lets through and the search finds is what a walk through the ring finds.
    private func counts(_ state: ScreenState) throws {
        let lines = state.timeline.ids.compactMap { id in state.timeline.line(id).map { (id, $0) } }
        let isCreated = lines.filter { $0.1.event.operation == .created }
        let (matching, all) = state.sieve.counts
        #expect(matching == isCreated.count)
        #expect(all == lines.count)
        let hits = isCreated.filter { $0.1.event.row["name"] == "fan" }
        let search = try #require(state.search)
        #expect(hits.allSatisfy { search.hits.contains($0.0) })
        #expect(search.hits.count == hits.count)
    }

    private func pages(_ watched: inout WatchedStage) {
        // Up to the oldest and back, a page at a time, without a filter.
        watched.press(.character("F"), .character("D"), .escape, .end)
        var seen: Set<Int> = []
        var oldest = Int.max
        while true {
            watched.stage.press(.pageUp)
            seen.formUnion(watched.stage.shownEntries)
            let top = watched.stage.shownEntries.first ?? 0
            guard top < oldest else { break }
            oldest = top
        }
        watched.look(after: "the top")
        #expect(oldest == watched.stage.state.timeline.ids.lowerBound)
        #expect(seen.count >= Self.limit - 20)
        watched.press(.end)
        #expect(watched.stage.state.view.isFollowing)
    }

    private func versions(_ watched: inout WatchedStage) throws {
        // The newest update, whose row was created one event earlier.
        let state = watched.stage.state
        let last = try #require(
            state.timeline.ids.reversed().first { state.timeline.line($0)?.event.operation == .updated })
        watched.stage.state.select(last)
        watched.press(.enter)
        #expect(watched.stage.screen.contains("v2 of 2"))
        watched.press(.character("["))
        #expect(watched.stage.screen.contains("v1 of 2"))
        #expect(watched.stage.screen.contains(#""active": true"#))
        // Of the oldest update in the ring the version before may have gone; that is said, and nothing is made up.
        let first = try #require(state.timeline.ids.first { state.timeline.line($0)?.event.operation == .updated })
        watched.press(.escape)
        watched.stage.state.select(first)
        watched.press(.character("d"))
        let line = try #require(state.timeline.line(first))
        let isKnown = line.previous.flatMap { state.timeline.line($0) } != nil
        #expect(watched.stage.screen.contains("The version before has gone from the list") == !isKnown)
    }

    /// How much memory this process has, in bytes.
    private static var residentBytes: Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
    }
}
