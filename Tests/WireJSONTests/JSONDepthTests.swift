import Testing
import WireJSON

@Suite struct JSONDepthTests {
    private func nested(_ depth: Int) -> String {
        String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }

    @Test("nesting is allowed up to the limit and refused beyond it")
    func limit() throws {
        _ = try JSON(parsing: nested(64))
        #expect(throws: JSONSyntaxError(.tooDeep, at: 64)) { try JSON(parsing: nested(65)) }
        _ = try JSON(parsing: nested(3), maximumDepth: 3)
        #expect(throws: JSONSyntaxError(.tooDeep, at: 3)) { try JSON(parsing: nested(4), maximumDepth: 3) }
        #expect(throws: JSONSyntaxError(.tooDeep, at: 5)) { try JSON(parsing: #"{"a":{}}"#, maximumDepth: 1) }
        #expect(try JSON(parsing: "1", maximumDepth: 0) == 1)
        #expect(throws: JSONSyntaxError(.tooDeep, at: 0)) { try JSON(parsing: "[]", maximumDepth: 0) }
        #expect(throws: JSONSyntaxError(.tooDeep, at: 0)) { try JSON(parsing: "[]", maximumDepth: -1) }
    }

    @Test("containers beside each other do not add up to depth")
    func siblings() throws {
        let row = "[" + String(repeating: "[{}],", count: 500) + "[]]"
        #expect(try JSON(parsing: row, maximumDepth: 3).arrayValue?.count == 501)
    }

    @Test(
        "a million opening brackets are refused at the limit",
        arguments: [("[", 1), (#"{"a":"#, 1), (#"[{"a":"#, 2)]
    )
    func bomb(opening: String, levels: Int) {
        let bomb = Array(String(repeating: opening, count: 1_000_000).utf8)
        let started = ContinuousClock.now
        for (allowed, depth) in [(64, 64), (JSON.depthCeiling, JSON.depthCeiling), (.max, JSON.depthCeiling)] {
            #expect(throws: JSONSyntaxError(.tooDeep, at: depth / levels * opening.utf8.count)) {
                try JSON(parsing: bomb, maximumDepth: allowed)
            }
        }
        #expect(ContinuousClock.now - started < .seconds(5))
    }

    @Test("a value as deep as the ceiling is parsed, compared, hashed, written and freed")
    func ceiling() throws {
        let text = nested(JSON.depthCeiling)
        let value = try JSON(parsing: text, maximumDepth: .max)
        let again = try JSON(parsing: value.encoded(), maximumDepth: .max)
        #expect(value == again)
        #expect(value.hashValue == again.hashValue)
        #expect(value.description == text)
    }
}
