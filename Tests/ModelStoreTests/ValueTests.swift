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

    @Test("random values survive their JSON text", .computes, arguments: 0..<2)
    func roundTrip(_ part: Int) throws {
        var random = Seeded(11 + UInt64(part))
        for _ in 0..<(propertyCases / 2) {
            let value = Self.value(&random)
            let read = Value(json: try JSON(parsing: value.json.encoded()))
            if read != value || !Self.isBitwise(read, value) {
                Issue.record("\(value) came back as \(String(describing: read))")
                return
            }
        }
    }

    /// Reals by their bits: other than by their equality, of which zeros have two patterns and NaN has many.
    private static func isBitwise(_ one: Value?, _ other: Value) -> Bool {
        guard case .real(let one)? = one, case .real(let other) = other else { return true }
        return one.bitPattern == other.bitPattern || other.isNaN || other == 0
    }

    private static func value(_ random: inout Seeded) -> Value {
        let integers: [Int64] = [0, 1, -1, .min, .max, 1 << 53, 1 << 53 + 1, -(1 << 53) - 1]
        let reals: [Double] = [
            0, -0.0, .infinity, .nan, .pi, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1e15, 1e16, 1e22, 1e23,
        ]
        switch random.below(9) {
        case 0: return .null
        case 1: return .integer(integers[random.below(integers.count)])
        case 2: return .integer(Int64(bitPattern: random.next()) >> Int64(random.below(64)))
        case 3: return .real(reals[random.below(reals.count)])
        case 4: return .real(Double(bitPattern: random.next()))
        case 5: return .real(Double(Int64(bitPattern: random.next()) >> Int64(random.below(64))))
        case 6: return .blob((0..<random.below(9)).map { _ in UInt8(random.below(256)) })
        case 7: return .boolean(random.below(2) == 0)
        default:
            let bound = random.below(2) == 0 ? 0x80 : 0x11_0000
            let scalars = (0..<random.below(8)).compactMap { _ in Unicode.Scalar(UInt32(random.below(bound))) }
            return .text(String(String.UnicodeScalarView(scalars)))
        }
    }

    @Test("values that are equal have one form, so that it does not matter which way they came")
    func oneForm() {
        let values: [Value] = [.real(0), .real(-0.0), .real(.nan), .real(-.nan), .real(.signalingNaN), .integer(0)]
        for one in values {
            for other in values where one == other {
                #expect(one.json.encoded() == other.json.encoded())
                #expect(one.hashValue == other.hashValue)
            }
        }
        #expect(Value.real(-0.0).json.description == "0.0")
    }

    /// Pairs that a rule takes for the same, or does not.
    static let comparisons: [(one: Value, other: Value, areSame: Bool)] = [
        (.boolean(true), .integer(1), true), (.boolean(false), .integer(0), true), (.boolean(true), .real(1), true),
        (.boolean(true), .integer(2), false), (.boolean(true), .boolean(false), false),
        (.boolean(true), .real(0.5), false),
        (.boolean(false), .null, false), (.boolean(true), .text("true"), false), (.boolean(true), .text("1"), false),
        (.integer(3), .real(3), true), (.integer(3), .real(3.5), false), (.integer(0), .real(-0.0), true),
        // Beyond 2^53, where a conversion to a double would make them the same.
        (.integer(1 << 53 + 1), .real(0x1p53), false), (.integer(.max), .real(0x1p63), false),
        (.integer(.min), .real(-0x1p63), true), (.integer(0), .real(.nan), false),
        (.integer(.max), .real(.infinity), false),
        (.null, .null, true), (.null, .integer(0), false), (.null, .text(""), false), (.null, .blob([]), false),
        (.real(.nan), .real(.nan), true), (.text("1"), .integer(1), false), (.text("a"), .blob([97]), false),
        (.text("\u{e9}"), .text("e\u{301}"), false), (.text("a"), .text("A"), false), (.blob([1]), .blob([1]), true),
    ]

    @Test(
        "a rule compares numbers by what they count, and everything else by type and bytes",
        arguments: comparisons.indices)
    func sameness(_ index: Int) {
        let (one, other, areSame) = Self.comparisons[index]
        #expect(one.isSame(as: other) == areSame)
        #expect(other.isSame(as: one) == areSame)
        #expect(one.isSame(as: one))
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

    @Test("columns are told apart by the bytes of their names")
    func names() {
        let row = Row(columns: ["\u{e9}", "e\u{301}"], values: [.integer(1), .integer(2)])
        #expect(row["\u{e9}"] == .integer(1))
        #expect(row["e\u{301}"] == .integer(2))
        #expect(row != Row(columns: ["e\u{301}", "\u{e9}"], values: [.integer(1), .integer(2)]))
        #expect(row == Row(columns: ["\u{e9}", "e\u{301}"], values: [.integer(1), .integer(2)]))
    }
}
