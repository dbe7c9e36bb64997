import Testing
import WireJSON

@Suite struct JSONEncodingTests {
    @Test(
        "a value is written as compact text",
        arguments: [
            (nil, "null"), (true, "true"), (false, "false"), (0, "0"), (-12, "-12"), (1.5, "1.5"), (2.0, "2.0"),
            ("", #""""#), ([], "[]"), ([:], "{}"), ([1, [nil], [:]], "[1,[null],{}]"),
            (["a": 1, "b": ["c": "d"]], #"{"a":1,"b":{"c":"d"}}"#),
        ] as [(JSON, String)]
    )
    func compact(value: JSON, text: String) {
        #expect(value.description == text)
        #expect(value.encoded() == Array(text.utf8))
        var output = Array("42".utf8)
        value.encode(into: &output)
        #expect(output == Array("42\(text)".utf8))
    }

    @Test(
        "only quotes, backslashes and control characters are escaped",
        arguments: [
            ("\"", #""\"""#), ("\\", #""\\""#), ("a\nb", #""a\nb""#), ("\u{8}\u{C}\n\r\t", #""\b\f\n\r\t""#),
            ("\0\u{1}\u{1F}", #""\u0000\u0001\u001f""#), ("/", #""/""#), ("\u{7F}", "\"\u{7F}\""),
            ("é🎲\u{2028}", "\"é🎲\u{2028}\""), ("<script>", #""<script>""#),
        ]
    )
    func escaping(value: String, text: String) {
        var output: [UInt8] = []
        JSON.appendString(value, to: &output)
        #expect(String(decoding: output, as: UTF8.self) == text)
        output = []
        JSON.appendString("[\(value)]".dropFirst().dropLast(), to: &output)
        #expect(String(decoding: output, as: UTF8.self) == text)
        #expect(JSON.object([value: 1]).description == "{\(text):1}")
    }

    @Test("text for people has a line for each member, and none in empty containers")
    func pretty() {
        let value: JSON = ["a": [1, ["b": nil]], "c": [], "d": [:], "e": "x"]
        let text = """
            {
              "a": [
                1,
                {
                  "b": null
                }
              ],
              "c": [],
              "d": {},
              "e": "x"
            }
            """
        #expect(value.prettyPrinted() == text)
        #expect((["a": [1]] as JSON).prettyPrinted(indent: 0) == "{\n\"a\": [\n1\n]\n}")
        #expect(([1] as JSON).prettyPrinted(indent: -3) == "[\n1\n]")
        #expect((7 as JSON).prettyPrinted() == "7")
    }

    @Test("what is not there is nil, at any path and position")
    func reading() {
        let value: JSON = ["list": [1, "two"], "nothing": nil]
        #expect(value["list"]?[1] == "two")
        #expect(value["list"]?[2] == nil)
        #expect(value["list"]?[-1] == nil)
        #expect(value["list"]?["x"] == nil)
        #expect(value[0] == nil)
        #expect(value["nothing"] == .some(.null))
        #expect(value["nothing"]?.isNull == true)
        #expect(value["missing"] == nil)
        #expect(value["list"]?.stringValue == nil)
        #expect(value.arrayValue == nil)
        #expect(value.boolValue == nil)
        #expect(("x" as JSON).objectValue == nil)
        #expect((true as JSON).boolValue == true)
        #expect(("n\(1)" as JSON).stringValue == "n1")
    }
}
