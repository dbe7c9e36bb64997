import RolecallProtocol
import Terminal
import Testing
import WireJSON

@testable import RolecallClient

@Suite("Time and places")
struct TimeTests {
    private func stamp(_ text: String) -> Timestamp { Timestamp("2026-11-22T\(text)Z") ?? Stage.wall }

    /// A line a minute from 12:00 to 12:39 (UTC), an hour and less before now.
    private func stage(columns: Int = 80, rows: Int = 24) -> Stage {
        var stage = Stage(columns: columns, rows: rows)
        stage.connect(as: ann)
        for sequence in 0..<40 {
            let at = "2026-11-22T12:\(sequence < 10 ? "0" : "")\(sequence):00.250Z"
            stage.tell(
                .event(event(Int64(sequence + 2), row: ["_id": 1, "name": .string("pump \(sequence)")], at: at)))
        }
        return stage
    }

    @Test("t turns from the clock to how long ago, after the line above, and UTC")
    func modes() {
        var stage = stage()
        #expect(stage.row("pump 39").contains(stamp("12:39:00.250").localTimeOfDay))
        stage.press(.character("t"))
        #expect(stage.row("pump 39").hasPrefix("> 20m ~ thing"))
        #expect(stage.rows[22].contains("how long ago"))
        stage.press(.character("t"))
        #expect(stage.row("pump 39").hasPrefix(">   +1:00 ~"), "\(stage.row("pump 39"))")
        stage.press(.character("t"))
        #expect(stage.row("pump 39").hasPrefix(">12:39:00.250 ~"))
        stage.command("/time relative")
        #expect(stage.row("pump 38").contains("21m"))
        stage.command("/time sundial")
        #expect(stage.rows[22].contains("clock, relative, delta, utc"))
        #expect(stage.state.input.text == "/time sundial")
    }

    @Test("what is shown decides which line stands above")
    func delta() {
        var stage = stage()
        stage.command("/time delta")
        stage.command("/only key:1 name=\"pump 3\"")
        stage.tell(.event(event(99, row: ["_id": 1, "name": "pump 3"], at: "2026-11-22T14:03:01.250Z")))
        #expect(stage.row("~ thing    pump 3 ").isEmpty == false)
        #expect(stage.rows.contains { $0.contains("+2:00:01 ~ thing    pump 3") }, "\(stage.screen)")
    }

    @Test("each figure fits its column")
    func figures() {
        let now = stamp("12:00:00.000")
        for (milliseconds, relative, delta, narrow) in [
            (0, "0s", "+0.000", "+0.00"), (59_999, "59s", "+59.999", "+59.9"), (61_000, "1m", "+1:01", "+1:01"),
            (754_000, "12m", "+12:34", "+12m"), (45_296_000, "12h", "+12:34:56", "+12h"),
            (400 * 86_400_000, "400d", "+400d", "+400d"),
        ] as [(Int64, String, String, String)] {
            let before = Timestamp(milliseconds: now.milliseconds - milliseconds)
            func text(_ mode: TimeMode, _ width: Int) -> String {
                mode.text(mode == .relative ? before : now, after: before, now: now, width: width)
            }
            #expect(text(.relative, 4).filter { $0 != " " } == relative)
            #expect(text(.delta, 9).filter { $0 != " " } == delta)
            #expect(text(.delta, 5).filter { $0 != " " } == narrow)
            for width in [4, 5, 8, 12] { #expect(text(.delta, width).count == width) }
        }
        let extremes = [Timestamp(milliseconds: .min), Timestamp(milliseconds: .max), now]
        for time in extremes {
            for other in extremes {
                for mode in TimeMode.allCases {
                    #expect(mode.text(time, after: other, now: other, width: 5).count == 5)
                }
            }
        }
    }

    @Test("marks are set by a letter and gone to by it, and two quotes go back")
    func marks() {
        var stage = stage()
        stage.press(.home, .down, .down, .character("m"))
        #expect(stage.rows[22].hasPrefix("[MARK]"))
        stage.press(.character("a"))
        let marked = stage.state.selected
        stage.press(.end, .up)
        let before = stage.state.selected
        stage.press(.character("'"), .character("a"))
        #expect(stage.state.selected == marked)
        stage.press(.character("'"), .character("'"))
        #expect(stage.state.selected == before)
        stage.press(.character("'"), .character("'"))
        #expect(stage.state.selected == marked)
        stage.press(.down)
        #expect(stage.rows.contains { $0.hasPrefix("a") }, "The mark is seen.")
        stage.press(.character("'"), .character("z"))
        #expect(stage.rows[22].contains("There is no mark z"))
        stage.press(.character("m"), .escape)
        #expect(stage.state.context == .list)
        stage.press(.character("m"), .enter)
        #expect(stage.state.context == .list)
        stage.command("/mark b")
        stage.command("/mark")
        #expect(stage.rows[22].contains("Marks: a b"))
        stage.command("/goto a")
        #expect(stage.state.selected == marked)
    }

    @Test("a mark of a line that has gone is told to be gone; of one that is hidden, the nearest is gone to")
    func lostMarks() {
        var stage = Stage(buffer: 20)
        stage.connect(as: ann)
        stage.press(.character("m"), .character("a"))
        for sequence in 2..<30 { stage.tell(.event(event(Int64(sequence)))) }
        stage.press(.character("'"), .character("a"))
        #expect(stage.rows[22].contains("no longer in the list"))
        stage.tell(.event(event(40, .removed, row: ["_id": 3])), .event(event(41)))
        stage.press(.up, .character("m"), .character("b"))
        stage.command("/filter -op:removed")
        stage.press(.end, .character("'"), .character("b"))
        #expect(stage.rows[22].contains("nearest"))
    }

    @Test("/goto goes to a time of day, to a moment, and to a position")
    func goTo() {
        var stage = stage()
        func at(_ minutes: Int) -> String { stamp("12:\(minutes):00.000").localTimeOfDay }
        stage.command("/goto \(at(17).prefix(5))")
        #expect(stage.row(">").contains("pump 17 "))
        stage.command("/goto \(at(21).prefix(8))")
        #expect(stage.row(">").contains("pump 21 "))
        stage.command("/goto 2026-11-22T12:05:30Z")
        #expect(stage.row(">").contains("pump 6 "))
        stage.command("/goto \(position(12))")
        #expect(stage.row(">").contains("pump 10 "))
        stage.command("/goto \(position(12, log: Era(rawValue: 5)))")
        #expect(stage.screen.contains("No event in the list stands at that position"))
        stage.command("/goto noon")
        #expect(stage.state.input.text == "/goto noon")
        stage.press(.control("u"))
        stage.command("/time utc")
        stage.command("/goto 12:30")
        #expect(stage.row(">").contains("pump 30 "))
        stage.command("/goto 2026-11-23T00:00:00Z")
        #expect(stage.screen.contains("this is the newest"))
    }

    @Test("/goto finds a position by equality alone, and says where its line is hidden")
    func goToPosition() {
        var stage = stage()
        var later = event(2, row: ["_id": 1, "name": "late"])
        later.position = position(2, log: Era(rawValue: 5))
        stage.tell(.event(later))
        stage.press(.home)
        stage.command("/goto \(later.position)")
        #expect(stage.row(">").contains("late"))
        // What stands behind a position is no event at that position.
        stage.press(.home)
        let before = stage.state.selected
        stage.command("/goto \(position(1))")
        #expect(stage.screen.contains("No event in the list stands at that position"))
        #expect(stage.state.selected == before)
        stage.command("/filter -late")
        stage.command("/goto \(later.position)")
        #expect(stage.rows[22].contains("nearest"))
    }

    @Test("h and l scroll lines that are cut, no farther than there is text")
    func sideways() {
        var stage = Stage(columns: 80, rows: 24)
        stage.connect(as: ann)
        let fields = (0..<8).map { ("field\($0)", JSON.string("value \($0)")) }
        stage.tell(.event(event(2, .created, row: .object(JSONObject([("_id", 1)] + fields)))))
        #expect(!stage.screen.contains("by Ann"))
        stage.press(.character("l"))
        #expect(!stage.screen.contains("field0"))
        for _ in 0..<20 { stage.press(.right) }
        #expect(stage.row("thing").hasSuffix("by Ann"))
        for _ in 0..<20 { stage.press(.character("h")) }
        #expect(stage.row("thing").contains("field0"))
        stage.press(.character("w"), .character("l"))
        #expect(stage.rows[22].contains("w unwraps"))
        #expect(stage.screen.contains("field7"))
    }

    @Test("the rate counts what came in the last 16 seconds, and nothing ticks when it is nought")
    func rate() {
        var meter = RateMeter()
        #expect(meter.isIdle(at: .seconds(5)) && meter.nextChange(at: .seconds(5)) == nil)
        for _ in 0..<16 { meter.count(at: .seconds(5)) }
        meter.count(at: .seconds(9))
        #expect(meter.counts(at: .seconds(9)) == [0, 0, 0, 0, 0, 16, 0, 1])
        #expect(meter.tenths(at: .seconds(9)) == 10)
        #expect(meter.nextChange(at: .seconds(9)) == .seconds(10))
        #expect(meter.counts(at: .seconds(18)) == [16, 0, 1, 0, 0, 0, 0, 0])
        #expect(meter.nextChange(at: .seconds(23)) == .seconds(24))
        #expect(meter.nextChange(at: .seconds(24)) == nil)
        #expect(meter.counts(at: .seconds(1_000_000)).allSatisfy { $0 == 0 })
        meter.count(at: .seconds(1_000_000))
        #expect(meter.counts(at: .seconds(1_000_000)).last == 1)
    }

    @Test("the line of identity ends in rate and clock where there is room, and idle asks for the next minute only")
    func clock() {
        var stage = stage(columns: 120, rows: 36)
        #expect(stage.rows[0].contains("▁▁▁▁▁▁▁█ 2.5/s  \(Words.clock(Stage.wall))"))
        #expect(stage.state.nextTick == .seconds(2))
        stage.pass(.seconds(16))
        #expect(!stage.rows[0].contains("/s"))
        #expect(stage.rows[0].hasSuffix("  \(Words.clock(Stage.wall))"))
        #expect(stage.state.nextTick == .seconds(76), "The wall's clock stands still in this test.")
        stage.resize(80, 24)
        #expect(stage.rows[0].hasSuffix(Words.clock(Stage.wall)))
        stage.resize(70, 24)
        #expect(!stage.rows[0].contains("13:00") || stage.rows[0].contains("127.0.0.1") == false)
        stage.command("/time utc")
        stage.resize(120, 36)
        #expect(stage.rows[0].hasSuffix("13:00Z"))
        #expect(Words.number(4096) == "4,096" && Words.number(12) == "12" && Words.number(1_234_567) == "1,234,567")
    }
}
