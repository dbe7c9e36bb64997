import RolecallConfiguration
import Testing

/// Rules: who may do what with which rows.
@Suite struct RuleMistakeTests {
    @Test("rules are a list, one rule, or the word everyone")
    func forms() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read:
                """,
            [
                "4:10: read of order has no rules; write [] for nobody, or leave it out"
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: admin
                """,
            [
                "4:11: read of order takes rules like {role: admin}, or the word everyone, not "
                    + #""admin"; is {role: admin} meant?"#
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: everybody
                """,
            [
                "4:11: read of order takes rules like {role: admin}, or the word everyone, not "
                    + #""everybody"; is everyone meant?"#
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: 5
                """,
            [
                #"4:11: read of order takes rules like {role: admin}, or the word everyone, not "5""#
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [[{role: admin}]]
                """,
            [
                "4:12: read of order takes rules like {role: admin}, or the word everyone, not a list"
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{}, ~]
                """,
            [
                "4:16: read of order takes rules like {role: admin}, or the word everyone, not nothing"
            ])
    }

    @Test("a name within a rule that is not known is told")
    func unknownParts() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{roel: admin}]
                """,
            [
                #"4:13: a rule has no "roel"; is "role" meant?"#
            ])
    }

    @Test("a column that is not there is told with the nearest")
    func unknownColumns() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read:
                      - {role: user, when: {custmer_id: 3}}
                      - owner: customer
                      - owner: {email: xyz}
                """,
            [
                #"5:29: order has no column "custmer_id"; is "customer_id" meant?"#,
                #"6:16: order has no column "customer"; there are "id", "customer_id", "state", "#
                    + #""is_gift", "placed_at", "taken_by" and "receipt""#,
                #"7:24: order has no column "xyz"; there are "id", "customer_id", "state", "is_gift", "#
                    + #""placed_at", "taken_by" and "receipt""#,
            ])
        expectMistakes(
            in: """
                models:
                  line:
                    table: order_lines
                    read: [{role: user, when: {_id: 3}}]
                """,
            [
                "4:32: the key of line has several columns; name them: order_id and line"
            ])
    }

    @Test("an owner that a column can't name is told")
    func owners() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{owner: is_gift}, {owner: receipt}, {owner: state}, {owner: {email: customer_id}}, {owner: {email: is_gift}}]
                """,
            [
                #"4:20: "is_gift" is declared BOOLEAN and holds no user's number, so the rule never "#
                    + "grants; name the column that says whose row it is",
                #"4:38: "receipt" is declared BLOB and holds no user's number, so the rule never "#
                    + "grants; name the column that says whose row it is",
                #"4:56: "state" is declared TEXT and holds no user's number, so the rule never grants; "#
                    + "where it holds an e-mail address, write owner: {email: state}",
                #"4:80: "customer_id" is declared INTEGER and holds no e-mail address, so the rule "#
                    + "never grants; where it holds a user's number, write owner: customer_id",
                #"4:111: "is_gift" is declared BOOLEAN and holds no e-mail address, so the rule never "#
                    + "grants; name the column that says whose row it is",
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{owner: {name: state}}]
                """,
            [
                #"4:21: owner has no "name"; there are "id" and "email""#
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{owner: {id: customer_id, email: state}}]
                """,
            [
                "4:20: owner takes a column, {id: column} or {email: column}, one of them"
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{owner: [customer_id]}]
                """,
            [
                "4:20: owner takes a column, {id: column} or {email: column}, not a list"
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{role: guest, owner: customer_id}]
                """,
            [
                "4:19: an owner is signed in, which guest does not ask for; leave the role out, or "
                    + "ask for a higher one"
            ])
    }

    @Test("a rule can't ask for what is secret")
    func secrets() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{role: user, when: {state: open}}, {owner: taken_by}]
                    fields: {state: {secret: true}, taken_by: {secret: true}}
                """,
            [
                #"4:32: "state" is secret: it never leaves the table, so a rule can't ask for it; hide "#
                    + "it with {read: role} instead",
                #"4:55: "taken_by" is secret: it never leaves the table, so an owner rule can't ask "#
                    + "for it; hide it with {read: role} instead",
            ])
    }

    @Test("a rule that grants nothing of its own is told, with the line of the one that does")
    func superfluous() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read:
                      - role: user
                      - role: admin
                """,
            [
                "6:9: this rule grants nothing that the one in line 5 does not grant already; leave it out"
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read:
                      - {role: admin, when: {state: open}}
                      - {role: user, when: {state: [paid, open]}}
                      - {owner: customer_id}
                      - {role: user, owner: customer_id}
                      - {owner: customer_id}
                """,
            [
                "5:9: this rule grants nothing that the one in line 6 does not grant already; leave it out",
                "8:9: this rule grants nothing that the one in line 7 does not grant already; leave it out",
                "9:9: this rule grants nothing that the one in line 7 does not grant already; leave it out",
            ])
    }

    @Test("nobody writes what he does not see")
    func writers() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    write: [{role: admin}]
                """,
            [
                "4:5: write of order lets somebody write what nobody sees; say who reads it, like "
                    + "read: [{role: admin}]"
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{role: admin}]
                    write: [{role: user}]
                """,
            [
                "5:13: order is read only from admin on, and nobody writes what he does not see; give "
                    + "read a rule for user, or ask for a higher role here"
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: []
                    remove: everyone
                """,
            [
                "5:13: order is read by nobody, and nobody writes what he does not see; give read a "
                    + "rule for user, or ask for a higher role here"
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: [{role: admin}]
                    update: [{owner: customer_id}]
                """,
            [
                "5:14: order is read only from admin on, and nobody writes what he does not see; give "
                    + "read a rule for user, or ask for a higher role here"
            ])
    }

    @Test("rules that no kind of write asks for are told")
    func writeWithoutUse() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: everyone
                    write: everyone
                    create: []
                    update: []
                    remove: []
                """,
            [
                "5:5: write of order stands for create, update and remove, which are all given; leave it out"
            ])
    }
}
