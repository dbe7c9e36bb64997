import ModelStore
import RolecallConfiguration
import Testing

/// What is resolved grants exactly what the file says: every role, on every kind of row.
@Suite struct GrantTests {
    private static let text = """
        roles: [guest, customer, staff, manager]
        models:
          order:
            table: orders
            read:
              - role: staff
              - {role: customer, when: {state: [open, paid], is_gift: false}}
              - owner: customer_id
            create: [{role: staff}, {owner: customer_id}]
            update: [{role: staff, when: {state: open}}]
            remove: {role: manager}
            fields:
              taken_by: {read: staff, write: manager}
              receipt: {secret: true}
        """

    /// State, gift, customer.
    private static let rows: [(String, Bool, Int64)] = [
        ("open", false, 7), ("open", true, 7), ("open", true, 8), ("paid", false, 8), ("done", false, 7),
        ("done", false, 8),
    ]

    private func row(_ row: (state: String, isGift: Bool, customer: Int64)) -> Row {
        Row([
            ("_id", .integer(1)), ("customer_id", .integer(row.customer)), ("state", .text(row.state)),
            ("is_gift", .boolean(row.isGift)), ("placed_at", .text("")), ("taken_by", .integer(3)),
        ])
    }

    @Test(
        "a row is seen by those whom the file names",
        arguments: [
            // Who, and whether he sees each of the rows above.
            (nil, "......"),
            ("guest", "xx..x."),
            ("customer", "xx.xx."),
            ("staff", "xxxxxx"),
            ("manager", "xxxxxx"),
        ])
    func reading(role: String?, seen: String) {
        let policy = resolved(Self.text).policy
        let view = policy.view(role: role, user: role == nil ? nil : 7)
        let visible = Self.rows.map { policy.visible(row($0), of: "order", to: view) != nil ? "x" : "." }
        #expect(visible.joined() == seen)
    }

    @Test(
        "a row is written by those whom the file names",
        arguments: [
            (nil, "......", "......", "......"),
            ("guest", "xx..x.", "......", "......"),
            ("customer", "xx..x.", "......", "......"),
            ("staff", "xxxxxx", "xxx...", "......"),
            ("manager", "xxxxxx", "xxx...", "xxxxxx"),
        ])
    func writing(role: String?, created: String, updated: String, removed: String) {
        let policy = resolved(Self.text).policy
        let writer = role.map { Writer(user: 7, role: $0) }
        let rows = Self.rows.map { row($0) }
        func marks(_ grants: (Row) -> Bool) -> String { rows.map { grants($0) ? "x" : "." }.joined() }
        #expect(marks { policy.mayCreate($0, of: "order", as: writer) } == created)
        #expect(marks { policy.mayUpdate($0, to: $0, of: "order", as: writer) } == updated)
        #expect(marks { policy.mayRemove($0, of: "order", as: writer) } == removed)
    }

    @Test("a column is seen and written from its role on")
    func columns() {
        let policy = resolved(Self.text).policy
        for (role, reads, writes) in [
            ("guest", false, false), ("customer", false, false), ("staff", true, false), ("manager", true, true),
        ] {
            let view = policy.view(role: role, user: 7)
            #expect(policy.mayRead(column: "taken_by", of: "order", view: view) == reads)
            let writer = Writer(user: 7, role: role)
            #expect(policy.mayWrite(column: "taken_by", of: "order", as: writer) == writes)
            #expect(policy.mayWrite(column: "state", of: "order", as: writer))
        }
    }

    @Test(
        "a room is read and written from its roles on, and no other room is there",
        arguments: [
            ("guest", "x...", "...."), ("customer", "xx..", "xx.."), ("staff", "xxx.", "xx.."),
            ("manager", "xxx.", "xxx."),
        ])
    func rooms(role: String, read: String, written: String) {
        let text = """
            roles: [guest, customer, staff, manager]
            rooms: {square: {read: guest, write: customer}, lobby: customer, office: {read: staff, write: manager}}
            """
        let policy = resolved(text).policy
        let rooms = ["square", "lobby", "office", "elsewhere"].map { room in
            Row([
                ("_id", .integer(1)), ("room", .text(room)), ("body", .text("")), ("author", .integer(7)),
                ("name", .text("")), ("at", .text("")),
            ])
        }
        let view = policy.view(role: role, user: 7)
        let seen = rooms.map { policy.visible($0, of: "message", to: view) != nil ? "x" : "." }
        #expect(seen.joined() == read)
        let writer = Writer(user: 7, role: role)
        let sent = rooms.map { policy.mayCreate($0, of: "message", as: writer) ? "x" : "." }
        #expect(sent.joined() == written)
    }

    @Test("a server without a file has the rules that it always had")
    func builtIn() {
        let builtIn = ResolvedConfiguration.builtIn(demo: true)
        #expect(builtIn.models.map(\.name) == ["user", "message", "thing"])
        #expect(
            builtIn
                == ConfigurationFile.read("", name: "c.yml", settings: []).file.resolve(
                    against: Shop.schema, demo: true
                ).resolved)
        let users = builtIn.policy.models["user"]
        #expect(users?.read == [Rule(role: "user")])
        #expect(users?.fields == ["email": "admin", "role": "admin", "generation": "nobody"])
        let messages = builtIn.policy.models["message"]
        #expect(messages?.read == [Rule(role: "user")])
        #expect(messages?.remove == [Rule(role: "admin"), Rule(role: "user", owner: "author")])
        let things = builtIn.policy.models["thing"]
        #expect(things?.read == [Rule(role: "admin"), Rule(role: "user", when: ["admin_only": .boolean(false)])])
        #expect(things?.remove == [Rule(role: "admin")])
    }

    @Test("with other roles, the second is that of whoever is signed in, and the last the admins'")
    func otherRoles() {
        for (roles, user, admin) in [
            (["all", "member"], "member", "member"), (["all", "low", "middle", "high"], "low", "high"),
        ] {
            #expect(BuiltInModels.signedInRole(of: roles) == user)
            #expect(BuiltInModels.highestRole(of: roles) == admin)
            let policy = resolved("roles: [\(roles.joined(separator: ", "))]").policy
            #expect(policy.models["user"]?.read == [Rule(role: user)])
            #expect(policy.models["user"]?.fields["email"] == ColumnAccess(role: admin))
        }
    }

    @Test("a model of the file's takes the place of the demo's that has its name, and leaves its path to it else")
    func demo() {
        let named = ConfigurationFile.read(
            "models: {thing: {table: orders, read: everyone}}", name: "c.yml", settings: [])
        let (resolved, mistakes) = named.file.resolve(against: Shop.schema, demo: true)
        #expect(mistakes.isEmpty)
        #expect(resolved.models.map(\.table) == ["rolecall_user", "rolecall_message", "orders"])
        let other = ConfigurationFile.read(
            "models: {order: {table: orders, path: things, read: everyone}}", name: "c.yml", settings: [])
        #expect(
            other.file.resolve(against: Shop.schema, demo: true).mistakes.map(\.description)
                == ["c.yml:1:39: /api/things is the path of the demo's thing; give order another one with path:"])
    }
}
