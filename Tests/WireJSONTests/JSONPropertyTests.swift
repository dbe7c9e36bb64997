import TestSupport
import Testing
import WireJSON

@Suite struct JSONPropertyTests {
    private func value(depth: Int, from random: inout Seeded) -> JSON {
        switch random.below(depth > 0 ? 9 : 6) {
        case 0: .null
        case 1: .bool(random.below(2) == 0)
        case 2: .integer(Int64(truncatingIfNeeded: random.next() >> UInt64(random.below(64))))
        case 3: .number(number(from: &random))
        case 4, 5: .string(string(from: &random))
        case 6, 7: .array((0..<random.below(6)).map { _ in value(depth: depth - 1, from: &random) })
        default:
            .object(
                JSONObject(
                    (0..<random.below(20)).map { _ in
                        (string(from: &random), value(depth: depth - 1, from: &random))
                    }
                )
            )
        }
    }

    private func number(from random: inout Seeded) -> Double {
        let value = Double(bitPattern: random.next())
        return value.isFinite ? value : 0.5
    }

    private func string(from random: inout Seeded) -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<random.below(24) {
            let bound = [0x20, 0x80, 0x80, 0x80, 0x800, 0x110000][random.below(6)]
            text.append(Unicode.Scalar(UInt32(random.below(bound))) ?? "\u{FFFD}")
        }
        return String(text)
    }

    @Test("any value is read back as it was written, compact and for people, in its order")
    func roundTrip() throws {
        var random = Seeded(0xC0FFEE)
        for _ in 0..<2500 {
            let value = value(depth: 4, from: &random)
            let text = value.encoded()
            let parsed = try JSON(parsing: text)
            #expect(parsed == value)
            #expect(parsed.hashValue == value.hashValue)
            // The same bytes again: order, kind of number and spelling survived.
            #expect(parsed.encoded() == text)
            #expect(try JSON(parsing: value.prettyPrinted()) == value)
        }
    }

    @Test("hostile texts are each parsed or refused", .computes)
    func hostileTexts() throws {
        var random = Seeded(0xBAD)
        let samples = [
            #"["message",{"room":"a","body":"é\n\u00e9\ud83c\udfb2"},-12.5e+3,9223372036854775807]"#,
            #"{"_id":"5f","name":null,"tags":[true,false,[]],"at":1700000000000}"#,
            #"[[[[{"a":{"b":{"c":[0.1,-0,1e5]}}}]]]]"#,
            #""\"\\\/\b\f\n\r\t\u0000""#,
        ].map { Array($0.utf8) }
        var parsed = 0
        for _ in 0..<HostileInputs.perDecoder {
            let bytes = random.hostileBytes(like: samples, alphabet: Array(#"{}[]",:\0123456789eE+-.tfnu abd"#.utf8))
            do throws(JSONSyntaxError) {
                let value = try JSON(parsing: bytes)
                parsed += 1
                // What is accepted is worth the name: it is written and read again as itself.
                if parsed % 8 == 0 {
                    #expect(try JSON(parsing: value.encoded()) == value, "\(bytes)")
                }
            } catch {
                if !(0...bytes.count).contains(error.offset) {
                    Issue.record("an error outside of the text: \(bytes)")
                }
            }
        }
        #expect(parsed > HostileInputs.perDecoder / 40, "the samples do not reach the depths of the parser")
    }
}
