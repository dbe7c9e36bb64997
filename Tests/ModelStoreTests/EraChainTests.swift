import ModelStore
import RolecallProtocol
import Testing

@Suite("Eras")
struct EraChainTests {
    private static let (one, two, three) = (Era(rawValue: 1), Era(rawValue: 2), Era(rawValue: 3))
    /// The first ended at 10; the second, at 20.
    private let chain = EraChain([
        EraRecord(era: one, first: 1), EraRecord(era: two, first: 11), EraRecord(era: three, first: 21),
    ])

    @Test(
        "a position is known up to its era's end, and in the newest up to the head",
        arguments: [
            (one, 10, true), (one, 11, false), (two, 11, true), (two, 20, true), (two, 21, false), (two, 5, true),
            (three, 30, true), (three, 31, false), (Era(rawValue: 9), 1, false),
        ] as [(Era, Int64, Bool)])
    func known(_ era: Era, _ sequence: Int64, _ isKnown: Bool) {
        let verdict = chain.judge(Position(era: era, sequence: sequence), earliest: 1, head: 30)
        #expect(verdict == (isKnown ? .known(LogCursor(era: Self.three, sequence: sequence)) : .unknown))
    }

    @Test("an era that was set back behind a later one's first number ends there")
    func setBack() {
        let chain = EraChain([
            EraRecord(era: Self.one, first: 1), EraRecord(era: Self.two, first: 11),
            EraRecord(era: Self.three, first: 6),
        ])
        #expect(chain.lastCommon(of: Self.one, head: 30) == 5)
        #expect(chain.judge(Position(era: Self.one, sequence: 8), earliest: 1, head: 30) == .unknown)
    }

    @Test("a folded stretch is judged by its ends")
    func folding() {
        let folded = Position(era: Self.two, sequence: 15, folding: 12...18)
        #expect(chain.judge(folded, earliest: 12, head: 30) == .known(LogCursor(era: Self.three, sequence: 15)))
        #expect(chain.judge(folded, earliest: 13, head: 30) == .retention(LogCursor(era: Self.three, sequence: 12)))
        let beyond = Position(era: Self.two, sequence: 15, folding: 12...21)
        #expect(chain.judge(beyond, earliest: 1, head: 30) == .unknown)
    }

    @Test("a reader goes on from the last common place, and is told why")
    func resumption() {
        let calm = chain.resumption(of: LogCursor(era: Self.two, sequence: 20), earliest: 1, head: 30)
        #expect(calm.start == LogCursor(era: Self.three, sequence: 20))
        #expect(calm.interruption == nil)
        let ahead = chain.resumption(of: LogCursor(era: Self.one, sequence: 14), earliest: 1, head: 30)
        #expect(ahead.start == LogCursor(era: Self.three, sequence: 10))
        #expect(ahead.interruption == .setBack(to: ahead.start))
        let foreign = chain.resumption(of: LogCursor(era: Era(rawValue: 9), sequence: 14), earliest: 4, head: 30)
        #expect(foreign.start == LogCursor(era: Self.three, sequence: 3))
        #expect(foreign.interruption == .setBack(to: nil))
        let late = chain.resumption(of: LogCursor(era: Self.three, sequence: 22), earliest: 25, head: 30)
        #expect(late.start == LogCursor(era: Self.three, sequence: 24))
        #expect(late.interruption == .retention)
    }
}
