import Testing

@testable import SQLiteStore

@Suite("Reading CREATE INDEX")
struct IndexDefinitionTests {
    static let examples: [(sql: String, terms: [String], condition: String?)] = [
        ("CREATE UNIQUE INDEX i ON t(a)", ["a"], nil),
        ("CREATE UNIQUE INDEX i ON t (a, b DESC)", ["a", "b"], nil),
        (#"CREATE UNIQUE INDEX "i(x" ON [t(,y] ("a,b" asc, `c)`)"#, [#""a,b""#, "`c)`"], nil),
        (
            "CREATE UNIQUE INDEX i ON t(lower(a), coalesce(b, 'x,)''(') DESC)", ["lower(a)", "coalesce(b, 'x,)''(')"],
            nil
        ),
        ("CREATE UNIQUE INDEX i ON t(a) WHERE b > 1.5e-3 AND c = 'WHERE'", ["a"], "b > 1.5e-3 AND c = 'WHERE'"),
        ("create unique index i on t(a /* , b) */, c -- where\n) where d||e <> x'00'", ["a", "c"], "d||e <> x'00'"),
        (
            "CREATE UNIQUE INDEX i ON t((a + b) * 2)\nWHERE\n  (a IS NOT NULL) -- end", ["(a + b) * 2"],
            "(a IS NOT NULL)"
        ),
        ("CREATE UNIQUE INDEX i ON t(j ->> '$.id' COLLATE NOCASE)", ["j ->> '$.id' COLLATE NOCASE"], nil),
    ]

    @Test("terms and condition are found", arguments: examples.indices)
    func found(_ index: Int) {
        let example = Self.examples[index]
        let definition = IndexDefinition(sql: example.sql)
        #expect(definition?.terms == example.terms)
        #expect(definition?.condition == example.condition)
    }

    @Test("what is no definition gives none, whatever it is")
    func nonsense() {
        for text in ["", "(", "CREATE", "((a)", "'", "/*", "[", "a(b,", "--", "\u{301}(", "\"\u{301}"] {
            #expect(IndexDefinition(sql: text) == nil)
        }
    }
}
