import RolecallProtocol
import TestSupport
import Testing

@Suite("Positions")
struct PositionTests {
    static let log = Era(rawValue: 0xABCD_EF01_2345)

    @Test("a position is 29 characters: the log, a dash, the number")
    func form() {
        #expect(Position(era: Self.log, sequence: 0).description == "abcdef012345-0000000000000000")
        #expect(Position(era: Era(rawValue: 1), sequence: .max).description == "000000000001-7fffffffffffffff")
        #expect(Position(era: Self.log, sequence: -5).sequence == 0)
        #expect(Era(rawValue: 0xFFFF_0000_0000_0001).description == "000000000001")
    }

    @Test("every position is read from its text, and two are equal where their texts are")
    func equality() {
        var random = Seeded(1)
        var positions: Set<Position> = []
        var texts: Set<String> = []
        for _ in 0..<3000 {
            let number = Int64(bitPattern: random.next() >> UInt64(1 + random.below(63)))
            let log = random.below(3) == 0 ? Era(rawValue: random.next()) : Self.log
            let position = Position(era: log, sequence: number)
            #expect(Position(position.description) == position)
            #expect(position.description.utf8.count == 29)
            #expect(positions.insert(position).inserted == texts.insert(position.description).inserted)
        }
        #expect(positions.count > 1000 && positions.count < 3000)
    }

    @Test(
        "anything else is no position",
        arguments: [
            "", "abcdef012345", "abcdef012345-000000000000000", "abcdef012345-00000000000000000",
            "abcdef012345_0000000000000000", "ABCDEF012345-0000000000000000", "abcdef012345-000000000000000A",
            "abcdef012345-8000000000000000", "abcdef012345-ffffffffffffffff", " abcdef012345-000000000000000",
            "abcdef01234-00000000000000000", "abcdef012345--000000000000001", "+bcdef012345-0000000000000000",
            "abcdef012345-000000000000000\u{e9}", "abcdéf01234-0000000000000000", "abcdef012345-0x00000000000001",
        ])
    func rejected(_ text: String) {
        #expect(Position(text) == nil)
    }

    @Test("two logs made at random are different, and never zero")
    func random() {
        let logs = Set((0..<100).map { _ in Era.random() })
        #expect(logs.count == 100)
        #expect(!logs.contains(Era(rawValue: 0)))
    }

    @Test("within a folded stretch its range follows, and the place in the log is the same")
    func folding() throws {
        let text = "abcdef012345-000000000000000a~0000000000000007-000000000000000c"
        let position = try #require(Position(text))
        #expect(position.sequence == 10)
        #expect(position.folding == 7...12)
        #expect(position.description == text)
        #expect(position == Position(era: Self.log, sequence: 10))
        #expect(Set([position, Position(era: Self.log, sequence: 10)]).count == 1)
        #expect(position != Position(era: Self.log, sequence: 11))
    }

    @Test(
        "a range that the place is not within is none",
        arguments: [
            "~000000000000000b-000000000000000c", "~0000000000000007-000000000000000a",
            "~0000000000000000-000000000000000c", "~0000000000000007-00000000000000fz",
            "~0000000000000007-ffffffffffffffff", "-0000000000000007-000000000000000c",
            "~0000000000000007~000000000000000c", "~0000000000000007-000000000000000", "~",
        ])
    func noFolding(range: String) {
        #expect(Position("abcdef012345-000000000000000a" + range) == nil)
    }
}
