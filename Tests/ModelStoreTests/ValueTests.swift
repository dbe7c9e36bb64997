import ModelStore
import TestSupport
import Testing
import WireJSON

@Suite("Values and rows as JSON")
struct ValueTests {
    static let forms: [(value: Value, json: String)] = [
        (.null, "null"), (.boolean(true), "true"), (.integer(.min), "-9223372036854775808"), (.integer(0), "0"),
        (.real(1), "1.0"), (.real(-0.5), "-0.5"), (.real(1e300), "1e+300"),
        (.real(.infinity), #"{"$real":"Infinity"}"#),
        (.real(-.infinity), #"{"$real":"-Infinity"}"#), (.real(.nan), #"{"$real":"NaN"}"#), (.text(""), #""""#),
        (.text("a\u{0}\"é"), #""a\u0000\"é""#), (.blob([]), #"{"$blob":""}"#),
        (.blob([0, 255, 18]), #"{"$blob":"00ff12"}"#),
    ]

    @Test("every value has its form, and is read from it", arguments: forms.indices)
    func form(_ index: Int) throws {
        let example = Self.forms[index]
        #expect(example.value.json.description == example.json)
        #expect(Value(json: try JSON(parsing: example.json)) == example.value)
    }

    @Test(
        "JSON that stands for no value gives none",
        arguments: [
            "[]", "{}", #"{"$blob":"0"}"#, #"{"$blob":"0g"}"#, #"{"$blob":1}"#, #"{"$real":"infinity"}"#,
            #"{"$real":1}"#,
            #"{"a":1}"#, #"{"$blob":"00","b":1}"#,
        ])
    func nonsense(_ text: String) throws {
        #expect(Value(json: try JSON(parsing: text)) == nil)
    }

    @Test("hexadecimal digits are read in either case")
    func digits() throws {
        #expect(Value(json: try JSON(parsing: #"{"$blob":"aAfF09"}"#)) == .blob([0xAA, 0xFF, 9]))
    }

    @Test("random values survive their JSON text")
    func roundTrip() throws {
        var random = Seeded(11)
        for _ in 0..<20_000 {
            let value: Value =
                switch random.below(5) {
                case 0: .integer(Int64(bitPattern: random.next()))
                case 1: .real(Double(bitPattern: random.next()))
                case 2: .blob((0..<random.below(9)).map { _ in UInt8(random.below(256)) })
                case 3: .boolean(random.below(2) == 0)
                default:
                    .text(
                        String(
                            String.UnicodeScalarView(
                                (0..<random.below(8)).compactMap { _ in Unicode.Scalar(UInt32(random.below(0x3000))) }))
                    )
                }
            #expect(Value(json: try JSON(parsing: value.json.encoded())) == value)
        }
    }

    @Test("texts are equal by their bytes, and no value differs from itself")
    func equality() {
        #expect(Value.text("\u{e9}") != .text("e\u{301}"))
        #expect(Value.text("\u{e9}") == .text("\u{e9}"))
        #expect(Value.real(.nan) == .real(-.nan))
        #expect(Set([Value.real(.nan), .real(.nan), .real(0), .real(-0.0)]).count == 2)
        #expect(Set([Value.text("\u{e9}"), .text("e\u{301}"), .text("\u{e9}")]).count == 2)
        let different: [Value] = [.null, .integer(1), .real(1), .text("1"), .blob([49]), .boolean(true), .integer(0)]
        #expect(Set(different).count == different.count)
    }

    @Test("a row keeps the order of its columns, and is read from an object of values only")
    func rows() throws {
        let row = Row(columns: ["b", "a", "c"], values: [.integer(1), .text("x")])
        #expect(row.columns == ["b", "a"])
        #expect(row["a"] == .text("x"))
        #expect(row["c"] == nil)
        #expect(Row(json: try JSON(parsing: #"{"b":1,"a":"x"}"#)) == row)
        #expect(Row(json: try JSON(parsing: #"{"a":"x","b":1}"#)) != row)
        #expect(Row(json: try JSON(parsing: #"{"b":[1]}"#)) == nil)
        #expect(Row(json: []) == nil)
        #expect(Row(json: [:]) == Row([]))
    }
}
