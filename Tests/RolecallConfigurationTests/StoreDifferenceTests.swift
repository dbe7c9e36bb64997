import ModelStore
import RolecallConfiguration
import Testing

/// What a file means depends on what the store says of its database, not on which store it is.
@Suite struct StoreDifferenceTests {
    /// Tables whose names, and columns whose names, differ in nothing but case; columns that hold their own kind only.
    private static let exact = DatabaseSchema(
        name: "shop", nameComparison: .exact,
        tables: [
            DatabaseSchema.Table(
                name: "orders",
                columns: [
                    column("id", .integer, "bigint"), column("ID", .integer, "bigint"), column("_ID", .text, "text"),
                    column("state", .text, "text"), column("STATE", .text, "text"), column("paid", .boolean, "boolean"),
                    column("price", .real, "double precision"), column("receipt", .blob, "bytea"),
                    column("tags", .any, "jsonb"),
                ],
                primaryKey: ["id"], otherKeys: [["id", "ID"]]),
            DatabaseSchema.Table(name: "Orders", columns: [column("id", .integer, "bigint")], primaryKey: ["id"]),
            DatabaseSchema.Table(
                name: "audits", isOwn: true, columns: [column("seq", .integer, "bigint")], primaryKey: ["seq"]),
            DatabaseSchema.Table(
                name: "rates", obstacle: "is a foreign table; only those of this database can tell their changes",
                columns: [column("id", .integer, "bigint")], primaryKey: ["id"]),
        ])

    private static func column(_ name: String, _ kind: Column.Kind, _ type: String) -> DatabaseSchema.Column {
        DatabaseSchema.Column(name: name, kind: kind, declaredType: type, isNullable: false)
    }

    private func expectMistakes(
        in text: String, _ expected: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(
            mistakes(in: text, against: Self.exact).map(\.description) == expected.map { "c.yml:" + $0 },
            sourceLocation: sourceLocation)
    }

    @Test("names that differ in case are two where the database tells them apart")
    func exactNames() {
        let text = """
            models:
              order:
                table: orders
                key: [id, ID]
                read:
                  - {role: user, when: {state: open, STATE: paid}}
                  - {role: user, when: {STATE: paid, id: 1, ID: 2}}
                  - {role: user, owner: id, when: {STATE: paid}}
                  - {role: user, owner: ID, when: {STATE: paid}}
                fields: {state: {read: admin}, STATE: {write: admin}}
              other: {table: Orders, read: everyone}
            """
        let resolved = resolved(text, against: Self.exact)
        #expect(resolved.models.dropFirst(2).map(\.table) == ["orders", "Orders"])
        #expect(resolved.models.dropFirst(2).first?.key == ["id", "ID"])
        #expect(
            resolved.policy.models["order"]?.read.first
                == Rule(role: "user", when: ["state": .text("open"), "STATE": .text("paid")]))
        #expect(resolved.policy.models["order"]?.fields == ["state": "admin"])
    }

    @Test("a name in another case is not there where the database tells them apart, for users' columns, too")
    func otherCase() {
        expectMistakes(
            in: """
                models:
                  order: {table: ORDERS, read: everyone}
                  user: {fields: {Email: {read: admin}}}
                """,
            [
                #"2:18: there is no table "ORDERS" in shop; is "orders" meant?"#,
                #"3:19: user has no column "Email"; is "email" meant?"#,
            ])
    }

    @Test("names that differ in case are one where the database takes them for one")
    func foldedNames() {
        let text = """
            models:
              user: {fields: {EMAIL: {read: user}}}
              order:
                table: ORDERS
                read:
                  - {role: user, when: {State: open}}
                  - {role: user, owner: Customer_ID, when: {state: [paid, open]}}
                  - {role: user, owner: customer_id, when: {STATE: open}}
                update: [{role: user, when: {state: open, State: paid}}]
            """
        #expect(
            mistakes(in: text).map(\.description) == [
                "c.yml:8:9: this rule grants nothing that the one in line 6 does not grant already; leave it out",
                #"c.yml:9:47: "State" is "state" again; keep one of them"#,
            ])
        let repaired = text.replacing("      - {role: user, owner: customer_id, when: {STATE: open}}\n", with: "")
            .replacing("state: open, State: paid", with: "State: paid")
        #expect(
            resolved(repaired).policy.models["order"]?.update == [Rule(role: "user", when: ["state": .text("paid")])])
    }

    @Test("what a model says twice is told although its table is not there")
    func missingTable() {
        expectMistakes(
            in: """
                models:
                  bill:
                    table: bills
                    read: [{role: user}, {role: admin}]
                """,
            [
                #"3:12: there is no table "bills" in shop; there are "orders" and "Orders""#,
                "4:26: this rule grants nothing that the one in line 4 does not grant already; leave it out",
            ])
    }

    @Test("a column that takes nothing but its own kind refuses every other value")
    func ownKindOnly() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read:
                      - {role: user, when: {id: open}}
                      - {role: user, when: {id: 3.5}}
                      - {role: user, when: {price: open}}
                      - {role: user, when: {price: "7"}}
                      - {role: user, when: {receipt: abc}}
                      - {role: user, when: {paid: 2}}
                      - {role: user, when: {state: 3}}
                """,
            [
                #"5:33: "id" is declared bigint and holds numbers, so the rule never grants; ask for a number"#,
                #"6:33: "id" is declared bigint and holds whole numbers, so the rule never grants; ask for one"#,
                #"7:36: "price" is declared "double precision" and holds numbers, so the rule never grants; "#
                    + "ask for a number",
                #"8:36: "price" is declared "double precision" and holds numbers, so the rule never grants; "#
                    + "write 7 without quotes",
                #"9:38: "receipt" is declared bytea and holds no such value, so the rule never grants; "#
                    + "leave the column out",
                #"10:35: "paid" is declared boolean, so the rule never grants; ask for true or false"#,
                #"11:36: "state" is declared text and holds texts, so the rule never grants; write "3" in quotes"#,
            ])
        let good = "{id: 3.0, price: 3, paid: true, state: open, tags: 1}"
        _ = resolved("models: {order: {table: orders, read: {role: user, when: \(good)}}}", against: Self.exact)
    }

    @Test("a column that takes other kinds may hold what can't be converted")
    func otherKinds() {
        _ = resolved(
            "models: {order: {table: orders, read: {role: user, when: {customer_id: [open, 3.5], receipt: abc}}}}")
    }

    @Test("a table is no model for the reason that the store gives, and the store's own are neither named nor offered")
    func obstacles() {
        expectMistakes(
            in: """
                models:
                  rate: {table: rates, read: everyone}
                  log: {table: audits, read: everyone}
                  audit: {path: log, read: everyone}
                """,
            [
                #"2:17: "rates" is a foreign table; only those of this database can tell their changes"#,
                "3:16: the table audits is Rolecall's own and can't be a model; name one of yours",
                #"4:3: there is no table "audit" in shop; there are "orders" and "Orders""#,
            ])
        let draft = ConfigurationFile.draft(for: Self.exact)
        #expect(!draft.contains("audits"))
        #expect(
            draft.contains("\n  # \"rates\" is a foreign table; only those of this database can tell their changes.\n"))
    }
}
