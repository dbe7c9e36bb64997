import TestSupport
import Testing
import WireJSON

@Suite struct JSONNumberTests {
    @Test(
        "an integer within 64 bits keeps every digit",
        arguments: [
            ("0", 0), ("7", 7), ("-7", -7), ("10", 10), ("9007199254740993", 9_007_199_254_740_993),
            ("9223372036854775807", .max), ("-9223372036854775808", .min),
        ] as [(String, Int64)]
    )
    func integers(text: String, value: Int64) throws {
        guard case .integer(let parsed) = try JSON(parsing: text) else {
            Issue.record("\(text) is no integer")
            return
        }
        #expect(parsed == value)
        #expect(JSON.integer(value).description == text)
    }

    @Test(
        "any other number is the nearest double",
        arguments: [
            ("-0", -0.0), ("0.0", 0), ("-0.0", -0.0), ("0e9999999999999999999", 0), ("1.5", 1.5), ("1.0", 1),
            ("1e0", 1), ("1E+2", 100), ("12.5e-1", 1.25), ("0.1", 0.1), ("123456789.125", 123456789.125),
            ("9223372036854775808", 9_223_372_036_854_775_808), ("-9223372036854775809", -9_223_372_036_854_775_808),
            ("18446744073709551616", 18_446_744_073_709_551_616), ("9007199254740993.0", 9_007_199_254_740_992),
            ("1.7976931348623157e308", .greatestFiniteMagnitude), ("5e-324", .leastNonzeroMagnitude),
            ("2.2250738585072011e-308", Double(bitPattern: 0x000F_FFFF_FFFF_FFFF)), ("1e-400", 0),
            ("-1e-99999999999999999999", -0.0),
            ("1e22", 1e22), ("1e23", 1e23), ("8.5e-22", 8.5e-22), ("3e-23", 3e-23),
        ] as [(String, Double)]
    )
    func doubles(text: String, value: Double) throws {
        guard case .number(let parsed) = try JSON(parsing: text) else {
            Issue.record("\(text) is no double")
            return
        }
        #expect(parsed.bitPattern == value.bitPattern)
    }

    @Test("a number of a hundred thousand digits is read, and refused when it is too large")
    func longNumbers() throws {
        let digits = String(repeating: "1", count: 100_000)
        let fraction = try JSON(parsing: "0.\(digits)").doubleValue
        #expect(fraction == 1.0 / 9)
        #expect(throws: JSONSyntaxError(.numberOutOfRange, at: 0)) { try JSON(parsing: digits) }
        #expect(throws: JSONSyntaxError(.numberOutOfRange, at: 0)) { try JSON(parsing: "1e\(digits)") }
        #expect(try JSON(parsing: "1e-\(digits)").doubleValue == 0)
    }

    @Test("decimals are read as the standard library reads them")
    func agreesWithStandardLibrary() throws {
        var random = Seeded(0xD1CE)
        for _ in 0..<20_000 {
            let whole = random.next() >> UInt64(random.below(64))
            let fraction = random.next() >> UInt64(random.below(64))
            var text = random.below(2) == 0 ? "\(whole).\(fraction)" : "-\(whole).\(fraction)"
            if random.below(2) == 0 { text += "e\(random.below(60) - 30)" }
            guard case .number(let parsed) = try JSON(parsing: text) else {
                Issue.record("\(text) is no double")
                return
            }
            #expect(parsed.bitPattern == Double(text)?.bitPattern, "\(text)")
        }
    }

    @Test("any finite double survives being written and read")
    func randomDoubles() throws {
        var random = Seeded(0xF10A7)
        for _ in 0..<20_000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            guard case .number(let parsed) = try JSON(parsing: JSON.number(value).encoded()) else {
                Issue.record("\(value) is no double any more")
                return
            }
            #expect(parsed.bitPattern == value.bitPattern)
        }
    }

    @Test("a number that is not finite is written as null")
    func notFinite() {
        #expect(JSON.array([.number(.nan), .number(.infinity), .number(-.infinity)]).description == "[null,null,null]")
    }

    @Test("an integer can be had from a double only when it is exactly one")
    func integerValue() throws {
        #expect(try JSON(parsing: "3.0").integerValue == 3)
        #expect(try JSON(parsing: "3e2").integerValue == 300)
        #expect(JSON.number(-0.0).integerValue == 0)
        #expect(JSON.number(3.5).integerValue == nil)
        #expect(JSON.number(9_223_372_036_854_775_808).integerValue == nil)
        #expect(JSON.number(-9_223_372_036_854_775_808).integerValue == .min)
        #expect(JSON.number(.nan).integerValue == nil)
        #expect(JSON.number(.infinity).integerValue == nil)
        #expect(JSON.string("3").integerValue == nil)
        #expect(JSON.integer(3).doubleValue == 3)
    }

    @Test("numbers are equal by value, and hash alike when they are")
    func equality() {
        #expect(JSON.integer(1) == JSON.number(1))
        #expect(Set([JSON.integer(1), .number(1), .number(1.5)]).count == 2)
        #expect(JSON.integer(0) == JSON.number(-0.0))
        #expect(JSON.integer(9_007_199_254_740_993) != JSON.number(9_007_199_254_740_992))
        #expect(JSON.integer(.max) != JSON.number(9_223_372_036_854_775_808))
        #expect(JSON.integer(1) != JSON.bool(true))
    }
}
