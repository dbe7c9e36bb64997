import ModelStore
import RolecallConfiguration
import Testing

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
                    remove: [Rule(role: "manager")], fields: ["password_hash": "nobody"]))
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
