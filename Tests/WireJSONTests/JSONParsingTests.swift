import Testing
import WireJSON

@Suite struct JSONParsingTests {
    @Test(
        "a JSON text becomes its value",
        arguments: [
            ("null", nil),
            ("true", true),
            ("false", false),
            (" \t\r\n7\n", 7),
            ("[]", []),
            ("[ ]", []),
            ("{}", [:]),
            ("{\n}", [:]),
            ("[1,[2,[]],{}]", [1, [2, []], [:]]),
            (#"{"a":1,"b":[true,null]}"#, ["a": 1, "b": [true, nil]]),
            (#"{ "a" : { "b" : "c" } , "d" : [ 1 , 2 ] }"#, ["a": ["b": "c"], "d": [1, 2]]),
            (#"{"":0}"#, ["": 0]),
            (#""""#, ""),
            (#""plain""#, "plain"),
            (#""é 漢字 🎲""#, "é 漢字 🎲"),
            ("\"\u{7F}\u{2028}\u{2029}\"", "\u{7F}\u{2028}\u{2029}"),
        ] as [(String, JSON)]
    )
    func parses(text: String, value: JSON) throws {
        #expect(try JSON(parsing: text) == value)
    }

    @Test(
        "an escape becomes the character that it stands for",
        arguments: [
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
            (#""\u0041\u00e9\u00E9\u6f22\u0000""#, "A\u{E9}\u{E9}\u{6F22}\0"),
            (#""a\nb""#, "a\nb"),
            (#""\ud83c\udfb2""#, "🎲"),
            (#""\uD83C\uDFB2 and more""#, "🎲 and more"),
            (#""é\u00e9é""#, "ééé"),
        ]
    )
    func escapes(text: String, value: String) throws {
        let parsed = try JSON(parsing: text).stringValue
        #expect(parsed.map { Array($0.utf8) } == Array(value.utf8))
    }

    @Test(
        "a surrogate without its partner becomes a replacement character",
        arguments: [
            (#""\ud83c""#, "\u{FFFD}"),
            (#""\ud83cx""#, "\u{FFFD}x"),
            (#""\ud83c\n""#, "\u{FFFD}\n"),
            (#""\udfb2""#, "\u{FFFD}"),
            (#""\udfb2\ud83c""#, "\u{FFFD}\u{FFFD}"),
            (#""\ud83c\u0041""#, "\u{FFFD}A"),
            (#""\ud83c\ud83c\udfb2""#, "\u{FFFD}🎲"),
        ]
    )
    func unpairedSurrogates(text: String, value: String) throws {
        #expect(try JSON(parsing: text) == .string(value))
    }

    @Test(
        "what is not JSON is refused, with the fault and its place",
        arguments: [
            ("", .unexpectedEnd, 0),
            ("  ", .unexpectedEnd, 2),
            ("nul", .unexpectedEnd, 3),
            ("nulL", .unexpectedByte, 3),
            ("True", .unexpectedByte, 0),
            ("NaN", .unexpectedByte, 0),
            ("Infinity", .unexpectedByte, 0),
            ("'a'", .unexpectedByte, 0),
            ("\u{FEFF}1", .unexpectedByte, 0),
            ("\u{A0}1", .unexpectedByte, 0),
            ("\0", .unexpectedByte, 0),
            ("1 2", .trailingBytes, 2),
            ("null,", .trailingBytes, 4),
            ("{}}", .trailingBytes, 2),
            ("1\0", .trailingBytes, 1),
            ("[", .unexpectedEnd, 1),
            ("[1", .unexpectedEnd, 2),
            ("[1,", .unexpectedEnd, 3),
            ("[1,]", .unexpectedByte, 3),
            ("[,1]", .unexpectedByte, 1),
            ("[1 2]", .unexpectedByte, 3),
            ("[1}", .unexpectedByte, 2),
            ("]", .unexpectedByte, 0),
            ("{", .unexpectedEnd, 1),
            (#"{"a""#, .unexpectedEnd, 4),
            (#"{"a" 1}"#, .unexpectedByte, 5),
            (#"{"a":}"#, .unexpectedByte, 5),
            (#"{"a":1,}"#, .unexpectedByte, 7),
            (#"{,}"#, .unexpectedByte, 1),
            (#"{a:1}"#, .unexpectedByte, 1),
            (#"{1:1}"#, .unexpectedByte, 1),
            (#"{"a":1 "b":2}"#, .unexpectedByte, 7),
            (#"{"a":1]"#, .unexpectedByte, 6),
            ("[1] // end", .trailingBytes, 4),
            ("-", .unexpectedEnd, 1),
            ("-a", .malformedNumber, 1),
            ("+1", .unexpectedByte, 0),
            (".5", .unexpectedByte, 0),
            ("01", .malformedNumber, 1),
            ("-01", .malformedNumber, 2),
            ("00", .malformedNumber, 1),
            ("1.", .unexpectedEnd, 2),
            ("[1.]", .malformedNumber, 3),
            ("1.e5", .malformedNumber, 2),
            ("1e", .unexpectedEnd, 2),
            ("1e+", .unexpectedEnd, 3),
            ("[1e]", .malformedNumber, 3),
            ("1e5.5", .trailingBytes, 3),
            ("0x10", .trailingBytes, 1),
            ("1_000", .trailingBytes, 1),
            ("1e999", .numberOutOfRange, 0),
            ("[-1e999]", .numberOutOfRange, 1),
            (#"""#, .unexpectedEnd, 1),
            (#""abc"#, .unexpectedEnd, 4),
            (#""abc\"#, .unexpectedEnd, 5),
            (#""\x""#, .malformedEscape, 1),
            (#""\U0041""#, .malformedEscape, 1),
            (#""\'""#, .malformedEscape, 1),
            (#""\u12"#, .unexpectedEnd, 5),
            (#""\u12""#, .malformedEscape, 1),
            (#""ab\u00g0""#, .malformedEscape, 3),
            (#""\ud83c\u12""#, .malformedEscape, 7),
            ("\"a\nb\"", .controlCharacter, 2),
            ("\"a\u{1F}b\"", .controlCharacter, 2),
            ("\"\\n\0\"", .controlCharacter, 3),
            ("{\"a\t\":1}", .controlCharacter, 3),
        ] as [(String, JSONSyntaxError.Code, Int)]
    )
    func refuses(text: String, code: JSONSyntaxError.Code, offset: Int) {
        #expect(throws: JSONSyntaxError(code, at: offset)) { try JSON(parsing: text) }
    }

    @Test(
        "a string that is not UTF-8 is refused where its first bad byte stands",
        arguments: [
            ([0x80], 0), ([0x61, 0xFF], 1), ([0xC3], 0), ([0xC3, 0x28], 0), ([0xC0, 0xAF], 0),
            ([0xE2, 0x82], 0), ([0xE2, 0x82, 0xAC, 0xE2], 3), ([0xED, 0xA0, 0x80], 0), ([0xF0, 0x9F, 0x8E], 0),
            ([0xF4, 0x90, 0x80, 0x80], 0), ([0xF8, 0x88, 0x80, 0x80, 0x80], 0),
            // Behind an escape, and cut in two by one.
            ([0x5C, 0x6E, 0x61, 0xFF], 3), ([0xC3, 0x5C, 0x6E, 0xA9], 0),
        ] as [([UInt8], Int)]
    )
    func refusesInvalidUTF8(text: [UInt8], offset: Int) {
        let bytes = [0x5B, 0x22] + text + [0x22, 0x5D]
        #expect(throws: JSONSyntaxError(.invalidUTF8, at: 2 + offset)) { try JSON(parsing: bytes) }
    }

    @Test("an end, an escape and a fault are found at every place of a long string")
    func everyPlaceOfAString() throws {
        for length in 0...40 {
            let text = String(repeating: "x", count: length)
            #expect(try JSON(parsing: "\"\(text)\"") == .string(text))
            for place in 0...length {
                let front = String(repeating: "x", count: place)
                let back = String(repeating: "x", count: length - place)
                #expect(try JSON(parsing: "\"\(front)\\n\(back)\"") == .string("\(front)\n\(back)"))
                #expect(try JSON(parsing: "\"\(front)é\u{7F} \(back)\"") == .string("\(front)é\u{7F} \(back)"))
                #expect(throws: JSONSyntaxError(.controlCharacter, at: 1 + place)) {
                    try JSON(parsing: "\"\(front)\u{1F}\(back)\"")
                }
                let notUTF8 = [0x22] + Array(front.utf8) + [0xFF] + Array(back.utf8) + [0x22]
                #expect(throws: JSONSyntaxError(.invalidUTF8, at: 1 + place)) { try JSON(parsing: notUTF8) }
                #expect(throws: JSONSyntaxError(.trailingBytes, at: 2 + place)) {
                    try JSON(parsing: "\"\(front)\"\(back).")
                }
            }
        }
    }

    @Test("every beginning of a text is an early end, at its length")
    func everyBeginning() throws {
        let text = #"{"event":["aé🎲\n\u00e9\ud83c\udfb2",-12.5e+3,true,false,null,{"k":[]}]}"#
        let bytes = Array(text.utf8)
        _ = try JSON(parsing: bytes)
        for count in bytes.indices {
            #expect(throws: JSONSyntaxError(.unexpectedEnd, at: count)) { try JSON(parsing: bytes[..<count]) }
        }
    }

    @Test("bytes are parsed alike from an array, a slice, a string, raw memory and a collection in pieces")
    func collections() throws {
        let text = #"{"a":[1,"é"]}"#
        let value: JSON = ["a": [1, "é"]]
        let bytes = Array(text.utf8)
        #expect(try JSON(parsing: bytes) == value)
        #expect(try JSON(parsing: ([0x20] + bytes + [0x5D])[1...bytes.count]) == value)
        #expect(try JSON(parsing: "<\(text)>".dropFirst().dropLast()) == value)
        #expect(try bytes.withUnsafeBytes { try JSON(parsing: $0) } == value)
        #expect(try JSON(parsing: bytes.reversed().reversed().lazy.map { $0 }) == value)
        #expect(throws: JSONSyntaxError(.unexpectedEnd, at: 0)) {
            try JSON(parsing: UnsafeRawBufferPointer(start: nil, count: 0))
        }
    }

    @Test("an error is a sentence that names the place")
    func errorSentence() {
        #expect(throws: JSONSyntaxError(.unexpectedByte, at: 3)) { try JSON(parsing: "[1,]") }
        let error = JSONSyntaxError(.unexpectedByte, at: 3)
        #expect(error.description == "The JSON text has an unexpected character (at byte 3).")
        #expect(Set(JSONSyntaxError.Code.allCases.map { JSONSyntaxError($0, at: 0).description }).count == 9)
    }
}
