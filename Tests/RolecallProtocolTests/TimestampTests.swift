import RolecallProtocol
import TestSupport
import Testing

@Suite("Timestamps")
struct TimestampTests {
    static let moments: [(milliseconds: Int64, text: String)] = [
        (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (1_795_354_956_123, "2026-11-22T13:42:36.123Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"), (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"), (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
    ]

    @Test("moments and their texts", arguments: moments.indices)
    func table(_ index: Int) {
        let (milliseconds, text) = Self.moments[index]
        #expect(Timestamp(milliseconds: milliseconds).description == text)
        #expect(Timestamp(text)?.milliseconds == milliseconds)
    }

    @Test("the fraction may be left out, and a leap second is the next minute's first")
    func variants() {
        #expect(Timestamp("1970-01-01T00:00:01Z")?.milliseconds == 1000)
        #expect(Timestamp("2016-12-31T23:59:60Z") == Timestamp("2017-01-01T00:00:00Z"))
        #expect(Timestamp("2016-12-31T23:59:60.500Z") == Timestamp("2017-01-01T00:00:00.500Z"))
    }

    @Test(
        "anything else is no timestamp",
        arguments: [
            "", "Z", "T", "TZ", "2026-11-22", "2026-11-22T13:42:36", "2026-11-22 13:42:36Z", "2026-11-22T13:42Z",
            "2026-11-22T13:42:36.12Z", "2026-11-22T13:42:36.1234Z", "2026-11-22T13:42:36.Z",
            "2026-11-22T13:42:36+00:00",
            "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z", "2100-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:61Z", "26-01-01T00:00:00Z", "02026-01-01T00:00:00Z", "-026-01-01T00:00:00Z",
            "2026-1-01T00:00:00Z", "2026-01-01T0:00:00Z", "2026-01-01TT00:00:00Z", "T2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00ZZ", "2026-01-01T00:00:00z", "2026-01-01T00:00:0\u{661}Z", "2026-01-01T00:00:00Z\u{0}",
        ])
    func rejected(_ text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test("every moment of ten thousand years is read back from its text, and texts are in the order of moments")
    func roundTrip() {
        var random = Seeded(2)
        let range = (Timestamp("0000-01-01T00:00:00Z")?.milliseconds ?? 0)...(253_402_300_799_999 as Int64)
        var moments: [Timestamp] = []
        for _ in 0..<5000 {
            let moment = Timestamp(milliseconds: .random(in: range, using: &random))
            #expect(Timestamp(moment.description) == moment)
            moments.append(moment)
        }
        #expect(moments.sorted() == moments.sorted { $0.description < $1.description })
    }

    @Test("no number is too large, too small or no number at all")
    func extremes() {
        #expect(Timestamp(seconds: 1.2345).milliseconds == 1235)
        #expect(Timestamp(seconds: -1.5).milliseconds == -1500)
        #expect(Timestamp(milliseconds: 1500).seconds == 1.5)
        for seconds in [1e300, -1e300, .infinity, -.infinity, .nan, Double(Int64.max), Double(Int64.min)] {
            #expect(!Timestamp(seconds: seconds).description.isEmpty)
        }
        #expect(Timestamp(milliseconds: .max).description == "292278994-08-17T07:12:55.807Z")
        #expect(Timestamp(milliseconds: .min).description.hasSuffix("-05-16T16:47:04.192Z"))
    }
}
