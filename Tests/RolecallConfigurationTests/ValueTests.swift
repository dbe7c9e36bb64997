import ModelStore
import RolecallConfiguration
import Testing

/// What the values of rules are.
@Suite struct ValueTests {
    /// The value that a rule asks a column for that takes anything.
    private func value(_ text: String) -> Value? {
        let schema = DatabaseSchema(
            name: "a.db", nameComparison: .ignoringASCIICase,
            tables: [
                DatabaseSchema.Table(
                    name: "a",
                    columns: [
                        Shop.column("id", .integer, "INTEGER"), Shop.column("it", .any, "", isNullable: true),
                    ],
                    primaryKey: ["id"])
            ])
        let rules = resolved("models: {a: {read: [{role: user, when: {it: \(text)}}]}}", against: schema)
        return rules.policy.models["a"]?.read.first?.when["it"]
    }

    @Test(
        "a value is what it looks like",
        arguments: [
            ("3", .integer(3)), ("-3", .integer(-3)), ("+3", .integer(3)), ("0", .integer(0)),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("3.5", .real(3.5)), (".5", .real(0.5)), ("-1e3", .real(-1000)), ("1.", .real(1)), ("2.5E-1", .real(0.25)),
            (".inf", .real(.infinity)), ("-.Inf", .real(-.infinity)),
            ("true", .boolean(true)), ("FALSE", .boolean(false)), ("null", .null), ("~", .null),
            ("open", .text("open")), ("tRUE", .text("tRUE")), ("2026-11-22", .text("2026-11-22")),
            ("1.2.3", .text("1.2.3")), ("7up", .text("7up")), ("12:99", .text("12:99")), ("e3", .text("e3")),
            ("-", .text("-")), ("1-2", .text("1-2")), ("0x", .text("0x")), ("é", .text("é")),
        ] as [(String, Value)])
    func plain(text: String, expected: Value) {
        // A hyphen alone would begin a list.
        #expect(value(text == "-" ? "'-'" : text) == expected)
    }

    @Test(
        "what stands in quotes is a text, whatever it looks like",
        arguments: ["3", "3.5", "true", "yes", "null", "", "010", "12:30", "*a", "&a", "!x", "# no", "a *b", "<<"])
    func quoted(text: String) {
        #expect(value("\"\(text)\"") == .text(text))
        #expect(value("'\(text)'") == .text(text))
    }

    @Test("a tag says what a value is")
    func tagged() {
        #expect(value("!!str 3") == .text("3"))
        #expect(value("! 3") == .text("3"))
        #expect(value("!!int \"3\"") == .integer(3))
        #expect(value("!!float 3") == .real(3))
        #expect(value("!!bool \"true\"") == .boolean(true))
        #expect(value("!!null anything") == .null)
    }

    @Test("a text over several lines is read as YAML folds it")
    func blocks() {
        let text = """
            models:
              order:
                table: orders
                read:
                  - role: user
                    when:
                      state: |-
                        *first
                        &second
                      placed_at: >-
                        one
                        two
            """
        #expect(
            resolved(text).policy.models["order"]?.read
                == [Rule(role: "user", when: ["state": .text("*first\n&second"), "placed_at": .text("one two")])])
    }

    @Test("a name is a text, even where it looks like something else")
    func names() {
        let schema = DatabaseSchema(
            name: "a.db", nameComparison: .ignoringASCIICase,
            tables: [
                DatabaseSchema.Table(
                    name: "1",
                    columns: [Shop.column("on", .integer, "INTEGER"), Shop.column("3.5", .integer, "INT")],
                    primaryKey: ["on"])
            ])
        let rules = resolved(
            "models: {a: {table: 1, key: on, read: {role: user, when: {3.5: 1, on: 2}}}}", against: schema)
        #expect(rules.models.last == ModelDeclaration(name: "a", path: "as", table: "1", key: ["on"]))
        #expect(rules.policy.models["a"]?.read == [Rule(role: "user", when: ["3.5": .integer(1), "_id": .integer(2)])])
    }

    @Test("what a mapping takes over from another yields to what it says itself")
    func merges() {
        let text = """
            models:
              first: &base
                table: orders
                read: &all everyone
                write: [{role: admin}]
              second: {<<: *base, path: more, write: []}
              third:
                <<: [{path: third, read: [*staff]}, *base]
            """
        expectMistakes(
            in: text, ["8:31: nothing above is called staff; name a value with &staff before *staff"])
        let good = resolved(text.replacing("[*staff]", with: "*all"))
        #expect(good.models.map(\.path) == ["users", "messages", "firsts", "more", "third"])
        #expect(good.policy.models["second"] == ModelPolicy(read: [Rule()]))
        #expect(good.policy.models["third"] == good.policy.models["first"])
    }
}
