import RolecallConfiguration
import Testing

/// What rules ask of columns.
@Suite struct RuleValueMistakeTests {
    @Test("what a column asks for is one value, or a list of them")
    func whenForms() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{role: user, when: state}]
                """,
            [
                #"4:31: when takes columns with values, like {status: open}, not "state""#
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{role: user, when: {}}]
                """,
            [
                "4:31: when asks for nothing; name a column with its value, or leave it out"
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{role: user, when: {state: []}}]
                """,
            [
                #"4:39: "state" has no value of an empty list, so the rule never grants; name one"#
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{role: user, when: {state: {a: 1}}}]
                """,
            [
                #"4:39: the column "state" takes a value, or a list of values, not a mapping"#
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{role: user, when: {state: [open, "open"]}}]
                """,
            [
                #"4:46: "open" stands twice in this list; keep one of them"#
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{role: user, when: {state: open, STATE: paid}}]
                """,
            [
                #"4:45: "STATE" is "state" again; keep one of them"#
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{role: user, when: {id: 1, _id: 2}}]
                """,
            [
                #"4:39: "id" stands in when already; keep one of them"#
            ])
    }

    @Test("too many combinations of values are refused")
    func combinations() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{role: user, when: {customer_id: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39], taken_by: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39]}}]
                """,
            [
                "4:31: these lists make more than 1000 combinations; write several rules"
            ])
    }

    @Test("a value that readers of YAML disagree on is refused")
    func ambiguous() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{role: user, when: {taken_by: [yes, Off, 010, 00, 1_000, 0x1F, 0o17, 12:30]}}]
                """,
            [
                #"4:43: "yes" is a truth value to some readers of YAML and a text to others; write "#
                    + #"true, or "yes" in quotes"#,
                #"4:48: "Off" is a truth value to some readers of YAML and a text to others; write "#
                    + #"false, or "Off" in quotes"#,
                #"4:53: "010" is an octal number to some readers of YAML and a plain one to others; "#
                    + #"write 10, or "010" in quotes"#,
                #"4:58: "00" is an octal number to some readers of YAML and a plain one to others; "#
                    + #"write 0, or "00" in quotes"#,
                #"4:62: "1_000" is a number to some readers of YAML and a text to others; write the "#
                    + #"number in plain digits, or "1_000" in quotes"#,
                #"4:69: "0x1F" is a number to some readers of YAML and a text to others; write the "#
                    + #"number in plain digits, or "0x1F" in quotes"#,
                #"4:75: "0o17" is a number to some readers of YAML and a text to others; write the "#
                    + #"number in plain digits, or "0o17" in quotes"#,
                #"4:81: "12:30" is a number to some readers of YAML and a text to others; write the "#
                    + #"number in plain digits, or "12:30" in quotes"#,
            ])
    }

    @Test("a value that no database holds is refused")
    func outOfRange() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{role: user, when: {taken_by: [99999999999999999999, 1e999, .nan]}}]
                """,
            [
                "4:43: 99999999999999999999 is past what a database's integers hold "
                    + "(9223372036854775807); in quotes it is a text",
                #"4:65: "1e999" is past what a real number holds; write .inf"#,
                "4:72: no value is the same as .nan, so the rule never grants; write null for no value",
            ])
    }

    @Test("a tag that a value does not have is told")
    func wrongTags() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{role: user, when: {taken_by: [!!int x, !!bool 1, !!float no]}}]
                """,
            [
                #"4:43: "x" is no whole number, as its tag says; leave the tag out"#,
                #"4:52: "1" is no truth value, as its tag says; leave the tag out"#,
                #"4:62: "no" is no number, as its tag says; leave the tag out"#,
            ])
    }

    @Test("a value that a column can't have is told")
    func impossible() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read:
                      - {role: user, when: {is_gift: 2}}
                      - {role: user, when: {is_gift: open}}
                      - {role: user, when: {customer_id: null}}
                      - {role: user, when: {state: 3}}
                      - {role: user, when: {state: 3.5}}
                      - {role: user, when: {state: true}}
                      - {role: user, when: {customer_id: "7"}}
                """,
            [
                #"5:38: "is_gift" is declared BOOLEAN, so the rule never grants; ask for true or false"#,
                #"6:38: "is_gift" is declared BOOLEAN, so the rule never grants; ask for true or false"#,
                #"7:42: "customer_id" is never NULL, so the rule never grants; ask for a value, or "#
                    + "leave the column out",
                #"8:36: "state" is declared TEXT and holds texts, so the rule never grants; write "3" in quotes"#,
                #"9:36: "state" is declared TEXT and holds texts, so the rule never grants; write "3.5" in quotes"#,
                #"10:36: "state" is declared TEXT and holds texts, so the rule never grants; ask for "#
                    + "the text that stands there, in quotes",
                #"11:42: "customer_id" is declared INTEGER and holds numbers, so the rule never "#
                    + "grants; write 7 without quotes",
            ])
    }
}
