import RolecallConfiguration
import Testing

/// What is no YAML, or none that a configuration could be.
@Suite struct SyntaxMistakeTests {
    @Test("a quote that is never closed is told where it opens")
    func openQuote() {
        expectMistakes(
            in: """
                host: "127.0.0.1
                port: 1
                """,
            [
                "1:7: the quotes that open here are never closed; close them"
            ])
    }

    @Test("a list or a mapping that is not closed is told where it opens")
    func openBracket() {
        expectMistakes(
            in: """
                roles: [guest, user
                port: 1
                """,
            [
                "1:8: the list that opens here with [ is not closed; put commas between its values "
                    + "and ] behind them"
            ])
        expectMistakes(
            in: """
                models: {order: {table: orders}
                port: 1
                """,
            [
                "1:9: the mapping that opens here with { is not closed; put commas between its values "
                    + "and } behind them"
            ])
    }

    @Test("a second colon in a line is told")
    func secondColon() {
        expectMistakes(
            in: """
                host: a: b
                """,
            [
                #"1:8: a second ": " stands in this line; put the text in quotes, or begin a new line"#
            ])
    }

    @Test("names that are not indented alike are told")
    func indentation() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                   read: everyone
                """,
            [
                "4:4: this is not indented like what it belongs to; indent names of one level alike"
            ])
        expectMistakes(
            in: """
                roles:
                - a
                b
                """,
            [
                #"3:1: a name stands here without its value; write "name: value""#
            ])
    }

    @Test("a tab that indents is told as a tab")
    func tab() {
        expectMistakes(
            in: """
                models:
                \torder: {}
                """,
            [
                "2:1: a tab stands where only spaces indent; replace it by spaces"
            ])
        expectMistakes(
            in: """
                models:
                  order:
                  \ttable: orders
                """,
            [
                "3:3: a tab stands where only spaces indent; replace it by spaces"
            ])
    }

    @Test("a name without its value is told")
    func noValue() {
        expectMistakes(
            in: """
                port: 1
                host
                models: {}
                """,
            [
                #"2:1: a name stands here without its value; write "name: value""#
            ])
    }

    @Test("a character that begins nothing is told")
    func noToken() {
        expectMistakes(
            in: """
                host: @home
                """,
            [
                "1:7: no value can begin with this character; put the text in quotes"
            ])
        expectMistakes(
            in: """
                host: `a`
                """,
            [
                "1:7: no value can begin with this character; put the text in quotes"
            ])
    }

    @Test("an escape that is none is told")
    func escape() {
        expectMistakes(
            in: #"""
                host: "a\qb"
                """#,
            [
                #"1:9: this is no escape of YAML; write \\ for \, or use single quotes"#
            ])
    }

    @Test("a second document is refused")
    func documents() {
        expectMistakes(
            in: """
                port: 1
                ---
                port: 2
                """,
            [
                "2:1: a second document begins here; a configuration is one, so leave out the ---"
            ])
    }

    @Test("an alias of nothing is told, and one where none can stand")
    func aliases() {
        expectMistakes(
            in: """
                host: *home
                """,
            [
                "1:7: nothing above is called home; name a value with &home before *home"
            ])
        expectMistakes(
            in: """
                *a: 1
                """,
            [
                "1:1: an alias is * with a name and nothing behind it: *name"
            ])
        expectMistakes(
            in: """
                host: *home town
                """,
            [
                "1:7: an alias is * with a name and nothing behind it: *name"
            ])
        expectMistakes(
            in: """
                models: {order: &a [*a]}
                """,
            [
                "1:21: nothing above is called a; name a value with &a before *a"
            ])
    }

    @Test("a tag that means nothing here is told")
    func tags() {
        expectMistakes(
            in: """
                host: !secret x
                port: !!binary aGk=
                models: !!set {}
                """,
            [
                #"1:7: the tag "!secret" means nothing here; leave it out"#,
                #"2:7: the tag "!!binary" means nothing here; leave it out"#,
                #"3:9: the tag "!!set" means nothing here; leave it out"#,
            ])
    }

    @Test("a name that is no text is told")
    func complexKeys() {
        expectMistakes(
            in: """
                ? [a, b]
                : 1
                """,
            [
                "1:3: a name is a text here, neither a list, a mapping nor an alias"
            ])
        expectMistakes(
            in: """
                {a: 1}: 2
                """,
            [
                "1:1: a name is a text here, neither a list, a mapping nor an alias"
            ])
    }

    @Test("a merge of what is no mapping is told")
    func merges() {
        expectMistakes(
            in: """
                port: 1
                <<: [1, 2]
                """,
            [
                "2:5: << takes over a mapping: <<: *name, where &name stands before a mapping"
            ])
        expectMistakes(
            in: """
                <<: text
                """,
            [
                "1:5: << takes over a mapping: <<: *name, where &name stands before a mapping"
            ])
    }

    @Test("invisible characters are told by their number")
    func invisible() {
        expectMistakes(
            in: """
                host: a\u{200b}b\u{85}c
                """,
            [
                "1:10: an invisible character (U+0085) stands here; take it out, or write it as an "
                    + "escape in double quotes"
            ])
    }

    @Test("names that stand twice are told where they stand again, all of them")
    func duplicates() {
        expectMistakes(
            in: """
                port: 1
                models:
                  order: {table: orders, "table": orders}
                  order: {}
                port: 2
                port: 3
                """,
            [
                #"3:26: "table" stands here again, after line 3; keep one of them"#,
                #"4:3: "order" stands here again, after line 3; keep one of them"#,
                #"4:3: there is no table "order" in shop.db; is "orders" meant? Then name it with table:"#,
                #"6:1: "port" stands here again, after line 1; keep one of them"#,
                #"6:1: "port" stands here again, after line 5; keep one of them"#,
            ])
    }

    @Test("a file that is a list or a text is no configuration")
    func noMapping() {
        expectMistakes(
            in: """
                - a
                """,
            [
                "1:1: a configuration takes names with their values, like port: 9000, not a list"
            ])
        expectMistakes(
            in: """
                hello
                """,
            [
                #"1:1: a configuration takes names with their values, like port: 9000, not "hello""#
            ])
    }
}
