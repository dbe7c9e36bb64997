import ModelStore
import RolecallConfiguration
import Testing

/// A shop, as many have one.
enum Shop {
    static let text = """
        roles: [guest, customer, staff, manager]
        port: 8080
        allowed-origin: [https://shop.example.org, "https://admin.example.org"]
        sign-up: true
        retention: {age: 30d, events: 1000000}
        rooms:
          lobby: customer
          counter: {read: staff, write: manager}
        models:
          user:
            read: [{role: staff}, {owner: _id}]
            fields: {email: {read: staff}}
          customer:
            table: customers
            read:
              - role: staff
              - owner: {email: email}
            write: {role: manager}
            fields:
              password_hash: {secret: true}
          order:
            table: orders
            read: &seen
              - role: staff
              - role: customer
                when: {state: [open, paid], customer_id: 7}
            create: [{role: staff}]
            update: *seen
            remove: [{role: manager}]
            stamps: {placed_at: now, taken_by: author-id}
          line:
            table: order_lines
            path: order-lines
            key: [order_id, line]
            read: everyone
            write: [{role: staff}]
            fields:
              cost: {read: manager, write: manager}
        """

    static let schema = DatabaseSchema(
        name: "shop.db",
        tables: [
            DatabaseSchema.Table(
                name: "customers", kind: .table,
                columns: [
                    column("id", .integer, "INTEGER"), column("email", .text, "TEXT"),
                    column("password_hash", .text, "TEXT"),
                ],
                primaryKey: ["id"], otherKeys: [["email"]]),
            DatabaseSchema.Table(
                name: "order_lines", kind: .table,
                columns: [
                    column("order_id", .integer, "INTEGER"), column("line", .integer, "INTEGER"),
                    column("product", .text, "VARCHAR(20)"), column("cost", .real, "REAL", isNullable: true),
                    column("total", .any, "NUMERIC", isNullable: true, isGenerated: true),
                ],
                primaryKey: ["order_id", "line"]),
            DatabaseSchema.Table(
                name: "orders", kind: .table,
                columns: [
                    column("id", .integer, "INTEGER"), column("customer_id", .integer, "INTEGER"),
                    column("state", .text, "TEXT"), column("is_gift", .boolean, "BOOLEAN"),
                    column("placed_at", .text, "TEXT"), column("taken_by", .integer, "INTEGER", isNullable: true),
                    column("receipt", .blob, "BLOB", isNullable: true),
                ],
                primaryKey: ["id"]),
            DatabaseSchema.Table(
                name: "notes", kind: .table, columns: [column("body", .text, "TEXT", isNullable: true)],
                primaryKey: []),
            DatabaseSchema.Table(
                name: "tags", kind: .table, columns: [column("name", .text, "TEXT"), column("_id", .integer, "INT")],
                primaryKey: ["name"]),
            DatabaseSchema.Table(
                name: "sales", kind: .view, columns: [column("id", .integer, "INTEGER")], primaryKey: []),
            DatabaseSchema.Table(
                name: "search", kind: .virtual, columns: [column("body", .any, "")], primaryKey: []),
            DatabaseSchema.Table(
                name: "search_data", kind: .shadow, columns: [column("id", .integer, "INTEGER")], primaryKey: ["id"]),
        ])

    static let settings: Set<String> = ["port", "host", "allowed-origin", "sign-up", "key-file"]

    static func column(
        _ name: String, _ kind: Column.Kind, _ type: String, isNullable: Bool = false, isGenerated: Bool = false
    ) -> DatabaseSchema.Column {
        DatabaseSchema.Column(
            name: name, kind: kind, declaredType: type, isNullable: isNullable, isGenerated: isGenerated)
    }
}

@Suite struct GoodFileTests {
    @Test("a whole file is read without a mistake")
    func wholeFile() {
        let (file, mistakes) = ConfigurationFile.read(Shop.text, name: "rolecall.yml", settings: Shop.settings)
        #expect(mistakes.map(\.description) == [])
        #expect(file.roles == ["guest", "customer", "staff", "manager"])
        #expect(
            file.settings == [
                Setting(name: "port", values: ["8080"], location: Location(line: 2, column: 7)),
                Setting(
                    name: "allowed-origin", values: ["https://shop.example.org", "https://admin.example.org"],
                    location: Location(line: 3, column: 17)),
                Setting(name: "sign-up", values: ["true"], location: Location(line: 4, column: 10)),
            ])
        #expect(file.retention == Retention(age: 30 * 86_400, events: 1_000_000))
        #expect(
            file.rooms == [
                Room(name: "lobby", read: "customer", write: "customer"),
                Room(name: "counter", read: "staff", write: "manager"),
            ])
    }

    @Test("what is resolved is what the file says")
    func resolved() throws {
        let (file, _) = ConfigurationFile.read(Shop.text, name: "rolecall.yml", settings: Shop.settings)
        let (resolved, mistakes) = file.resolve(against: Shop.schema)
        #expect(mistakes.map(\.description) == [])
        #expect(
            resolved.models == [
                ModelDeclaration(name: "user", path: "users", table: "rolecall_user", secret: ["password"]),
                ModelDeclaration(name: "message", path: "messages", table: "rolecall_message"),
                ModelDeclaration(name: "customer", path: "customers", table: "customers", secret: ["password_hash"]),
                ModelDeclaration(name: "order", path: "orders", table: "orders"),
                ModelDeclaration(name: "line", path: "order-lines", table: "order_lines", key: ["order_id", "line"]),
            ])
        let policy = resolved.policy
        #expect(policy.roles == file.roles)
        #expect(
            policy.models["user"]
                == ModelPolicy(
                    read: [Rule(role: "staff"), Rule(owner: "_id")],
                    fields: ["email": "staff", "role": "manager", "generation": "nobody"]))
        #expect(
            policy.models["message"]
                == ModelPolicy(
                    read: [
                        Rule(role: "customer", when: ["room": .text("lobby")]),
                        Rule(role: "staff", when: ["room": .text("counter")]),
                    ],
                    create: [
                        Rule(role: "customer", when: ["room": .text("lobby")]),
                        Rule(role: "manager", when: ["room": .text("counter")]),
                    ],
                    remove: [Rule(role: "manager"), Rule(role: "customer", owner: "author")],
                    stamps: ["author": .authorID, "name": .authorName, "at": .now]))
        #expect(
            policy.models["customer"]
                == ModelPolicy(
                    read: [Rule(role: "staff"), Rule(owner: Ownership(column: "email", name: .email))],
                    create: [Rule(role: "manager")], update: [Rule(role: "manager")],
                    remove: [Rule(role: "manager")]))
        let seen = [
            Rule(role: "staff"),
            Rule(role: "customer", when: ["state": .text("open"), "customer_id": .integer(7)]),
            Rule(role: "customer", when: ["state": .text("paid"), "customer_id": .integer(7)]),
        ]
        #expect(
            policy.models["order"]
                == ModelPolicy(
                    read: seen, create: [Rule(role: "staff")], update: seen, remove: [Rule(role: "manager")],
                    stamps: ["placed_at": .now, "taken_by": .authorID]))
        #expect(
            policy.models["line"]
                == ModelPolicy(
                    read: [Rule()], create: [Rule(role: "staff")], update: [Rule(role: "staff")],
                    remove: [Rule(role: "staff")], fields: ["cost": "manager"], writing: ["cost": "manager"]))
    }
}
