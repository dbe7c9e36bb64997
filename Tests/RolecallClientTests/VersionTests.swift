import RolecallProtocol
import Terminal
import Testing
import WireJSON

@testable import RolecallClient

@Suite("A row's versions")
struct VersionTests {
    private let now = Timestamp(milliseconds: 0)

    private func boiler(_ info: String) -> JSON { ["_id": 12, "name": "boiler 3", "info": .string(info)] }

    /// Three versions of one row and its removal, among a thousand lines of other rows; the pane is open on the first.
    private func history(_ between: Notice? = nil, columns: Int = 120, rows: Int = 36) -> Stage {
        var stage = Stage(columns: columns, rows: rows)
        stage.connect(as: ann)
        var sequence: Int64 = 0
        func next() -> Int64 {
            sequence += 1
            return sequence
        }
        stage.tell(.event(event(next(), .created, row: boiler("ok"))))
        for info in ["leak", "dry"] {
            for key in 0..<500 { stage.tell(.event(event(next(), row: ["_id": .integer(Int64(1000 + key))]))) }
            if let between { stage.tell(between) }
            stage.tell(.event(event(next(), row: boiler(info), changed: ["info"])))
        }
        stage.tell(.event(event(next(), .removed, row: ["_id": 12])))
        stage.press(.character("g"), .character("j"), .enter)
        return stage
    }

    @Test(
        "versions are walked both ways over whatever stands between, and how many there are is right in each",
        arguments: [
            nil,
            .gap(Gap(after: nil, before: position(2), reason: .overflow)),
            .identity(identity(root), position(3)),
        ] as [Notice?])
    func walk(_ between: Notice?) {
        var stage = history(between)
        #expect(stage.screen.contains("v1 of 4"))
        for version in 2...4 {
            stage.press(.character("]"))
            #expect(stage.screen.contains("v\(version) of 4"))
            // The list's selection is the version's line.
            #expect(stage.state.selected == stage.state.detailed)
            #expect(stage.state.detail.version == nil)
        }
        stage.press(.character("]"))
        #expect(stage.screen.contains("the last version: the row was removed here"))
        for version in [3, 2, 1] {
            stage.press(.character("["))
            #expect(stage.screen.contains("v\(version) of 4"))
        }
        stage.press(.character("["))
        #expect(stage.screen.contains("the first version: the row was created here"))
    }

    @Test("what may have been missed before a version is said, and its line tells no old value")
    func doubt() {
        var stage = history(.gap(Gap(after: nil, before: position(2), reason: .overflow)))
        stage.press(.character("]"), .character("D"))
        #expect(stage.screen.contains("Since v1, with which this is compared"))
        #expect(stage.screen.contains(#"-"info": "ok""#))
        #expect(stage.screen.contains(#"+"info": "leak""#))
        #expect(stage.state.detailed.flatMap { stage.state.timeline.line($0)?.text } == #"info "leak"  by Ann"#)
    }

    @Test("what somebody else was told is not compared with, but can be walked to")
    func otherEyes() {
        var stage = history(.identity(identity(root), position(3)))
        stage.press(.character("]"), .character("D"))
        #expect(stage.screen.contains("The version before was told to another identity"))
        #expect(!stage.screen.contains(#"-"info": "ok""#))
    }

    @Test("a version that the list does not show is shown in the pane all the same, and that is said")
    func hidden() {
        var stage = history()
        stage.type("f")
        stage.type("op:created")
        stage.press(.enter)
        let selected = stage.state.selected
        stage.press(.character("]"))
        #expect(stage.screen.contains("v2 of 4"))
        #expect(stage.screen.contains("The list does not show this version"))
        #expect(stage.state.selected == selected)
    }

    @Test("versions that have gone from the list are said to have gone")
    func gone() {
        var stage = Stage(columns: 120, rows: 36, buffer: 3)
        stage.connect(as: ann)
        for (number, info) in ["a", "b", "c", "d", "e"].enumerated() {
            stage.tell(.event(event(Int64(number + 1), row: boiler(info), changed: ["info"])))
        }
        stage.press(.enter, .character("["), .character("["))
        #expect(stage.screen.contains("v3 of 5"))
        stage.press(.character("["))
        #expect(stage.screen.contains("has gone from the list (--buffer)"))
        stage.press(.character("D"))
        #expect(stage.screen.contains("The version before has gone from the list; this"))
    }

    @Test("of a removed row the last version is shown, and what it is", arguments: [(120, 36), (80, 24), (60, 18)])
    func removed(_ columns: Int, _ rows: Int) {
        var stage = history(columns: columns, rows: rows)
        for _ in 0..<3 { stage.press(.character("]")) }
        #expect(stage.screen.contains("Removed. The last version that was told:"))
        #expect(stage.screen.contains(#""info": "dry""#))
    }

    @Test("of a created row all is told as new")
    func created() {
        var stage = history()
        stage.press(.character("D"))
        #expect(stage.screen.contains("Created: all of it is new."))
        #expect(stage.screen.contains(#"+"info": "ok""#))
        #expect(!stage.screen.contains("not told here"))
    }

    @Test("a row that was hidden and is told of again goes on with its history")
    func seenAgain() throws {
        var timeline = Timeline()
        timeline.append(event(1, .created, row: boiler("a")), receivedAt: now)
        timeline.append(event(2, .hidden, row: ["_id": 12]), receivedAt: now)
        let again = timeline.append(event(3, row: boiler("b"), changed: ["info"]), receivedAt: now)
        let line = try #require(timeline.line(again))
        #expect(line.previous == 1)
        #expect(line.version == 3)
        #expect(line.link == .gap)
        #expect(timeline.version(after: 0) == 1)
        #expect(timeline.version(after: 1) == again)
    }

    @Test("a change that no user made is told in plain words")
    func outside() {
        var stage = Stage(columns: 120, rows: 36)
        stage.connect(as: ann)
        stage.tell(.event(event(1, by: nil)))
        stage.press(.enter)
        #expect(stage.screen.contains("updated in the database, not through the server"))
    }

    @Test("where only ASCII may be shown, what is cut ends in ASCII")
    func ascii() throws {
        var stage = Stage(columns: 120, rows: 36, isUnicode: false)
        stage.connect(as: ann)
        let long = String(repeating: "x", count: 300)
        stage.tell(
            .event(event(1, .created, row: ["_id": 1, "name": .string(long), "info": .string(long)])),
            .event(chat(2, String(repeating: "y", count: 5000))))
        for entry in stage.state.timeline.ids {
            guard let line = stage.state.timeline.line(entry) else { continue }
            #expect((line.text + line.label + line.model).allSatisfy { $0.isASCII })
        }
        stage.press(.character("k"), .enter, .character("R"))
        #expect(stage.rows.filter { row in !row.allSatisfy { $0.isASCII } } == [])
    }
}
