import ModelStore
import RolecallConfiguration
import TestSupport
import Testing

/// The first file for a database.
@Suite(.computes) struct DraftTests {
    private func file(_ schema: DatabaseSchema) -> (draft: String, resolved: ResolvedConfiguration, mistakes: [String])
    {
        let draft = ConfigurationFile.draft(for: schema)
        let (file, mistakes) = ConfigurationFile.read(draft, name: "c.yml", settings: [])
        let (resolved, others) = file.resolve(against: schema)
        return (draft, resolved, (mistakes + others).map(\.description))
    }

    @Test("the file names the store by its URL, whatever the path")
    func store() {
        for name in ["sqlite:shop.db", "sqlite:/a b/#: \"x'.db", "postgres://shop@db.example.org/shop"] {
            var schema = Shop.schema
            schema.storeURL = name
            let (file, mistakes) = ConfigurationFile.read(
                ConfigurationFile.draft(for: schema), name: "c.yml", settings: ["store"])
            #expect(mistakes == [])
            #expect(file.setting("store")?.values == [name])
        }
    }

    @Test("every table with a key is a model for admins alone, and what looks secret is secret")
    func shop() {
        let (draft, resolved, mistakes) = file(Shop.schema)
        #expect(mistakes == [])
        #expect(
            resolved.models.dropFirst(2) == [
                ModelDeclaration(name: "customer", path: "customers", table: "customers", secret: ["password_hash"]),
                ModelDeclaration(name: "order_line", path: "order_lines", table: "order_lines"),
                ModelDeclaration(name: "order", path: "orders", table: "orders"),
            ])
        let closed = [Rule(role: "admin")]
        for model in resolved.models.dropFirst(2) {
            #expect(
                resolved.policy.models[model.name]
                    == ModelPolicy(
                        read: closed, create: closed, update: closed, remove: closed,
                        fields: model.name == "customer" ? ["password_hash": "nobody"] : [:]))
        }
        #expect(draft.contains("# A first configuration for shop.db, made from the tables that stand in it."))
        #expect(
            draft.hasSuffix(
                """
                  order:
                    table: orders
                    # Columns: id INTEGER (key), customer_id INTEGER, state TEXT, is_gift BOOLEAN, placed_at TEXT,
                    # taken_by INTEGER, receipt BLOB
                    read: [{role: admin}]
                    write: [{role: admin}]

                  # Not among the models:
                  # the table notes has no primary key; give the table one, or a unique index of columns that are NOT NULL.
                  # the table tags has a column "_id" that is not its key, and every row's key is told as _id; rename the column.
                  # "sales" is a view; name the table that it shows.
                  # "search" is a virtual table; only ordinary ones can tell their changes.
                  # "search_data" belongs to a virtual table; only ordinary ones can tell their changes.

                """))
    }

    @Test("what stands in the head's comments is right")
    func head() {
        let text = ConfigurationFile.draft(for: Shop.schema).split(separator: "\n", omittingEmptySubsequences: false)
        let examples = text.filter {
            $0.hasPrefix("# retention:") || $0.hasPrefix("# rooms:") || $0.hasPrefix("#   lobby")
                || $0.hasPrefix("#   office")
        }
        #expect(examples.count == 4)
        expectMistakes(in: examples.map { $0.dropFirst(2) }.joined(separator: "\n"), [])
    }

    @Test("names that a model can't have, or that are taken, make way for others")
    func names() {
        let tables = [
            "users", "user", "message", "events", "orders", "order", "class", "categories", "boxes", "my table", "a:b",
            "", "日本",
        ]
        let schema = DatabaseSchema(
            name: "a.db", nameComparison: .ignoringASCIICase,
            tables: tables.map {
                DatabaseSchema.Table(
                    name: $0, columns: [Shop.column("id", .integer, "INTEGER")], primaryKey: ["id"])
            })
        let (_, resolved, mistakes) = file(schema)
        #expect(mistakes == [])
        #expect(
            resolved.models.dropFirst(2).map { "\($0.table) \($0.name) \($0.path)" } == [
                "users app_user app_users", "user user_2 user_2", "message app_message app_messages",
                "events app_event app_events", "orders order orders", "order app_order app_orders",
                "class class class", "categories category categories", "boxes box boxes", "my table my_table my_tables",
                "a:b a_b a_bs", " table tables", "日本 app_table app_tables",
            ])
    }

    @Test("a database without tables has a file without models")
    func empty() {
        let (draft, resolved, mistakes) = file(DatabaseSchema(name: "a\nb.db", nameComparison: .exact, tables: []))
        #expect(mistakes == [])
        #expect(resolved.models.count == 2)
        #expect(draft.hasSuffix("models: {}\n"))
    }

    @Test("the file of any database resolves against it without a mistake, to all that can be a model")
    func randomSchemas() {
        var random = Seeded(7)
        for _ in 0..<1500 {
            let schema = DatabaseSchema.random(&random)
            let (draft, resolved, mistakes) = file(schema)
            #expect(mistakes == [], "\(draft)")
            let usable = schema.tables.filter { table in
                let keys = ([table.primaryKey] + table.otherKeys).filter { (1...8).contains($0.count) }
                let names = [table.name] + table.columns.map(\.name)
                return table.obstacle == nil && !table.isOwn
                    && !names.contains { $0.unicodeScalars.first == "\u{FEFF}" }
                    && keys.contains { key in
                        table.columns.allSatisfy { column in
                            !schema.nameComparison.areSame(column.name, "_id") || key == [column.name]
                        }
                    }
            }
            #expect(resolved.models.dropFirst(2).map(\.table) == usable.map(\.name), "\(draft)")
            for model in resolved.models.dropFirst(2) {
                let policy = resolved.policy.models[model.name]
                #expect(policy?.read == [Rule(role: "admin")])
                #expect(
                    policy?.create == policy?.read && policy?.update == policy?.read && policy?.remove == policy?.read)
            }
            if !mistakes.isEmpty { break }
        }
    }
}

extension DatabaseSchema {
    /// A schema as nobody would make one: names of any characters, keys of any columns.
    static func random(_ random: inout Seeded) -> DatabaseSchema {
        let comparison: NameComparison = random.below(2) == 0 ? .exact : .ignoringASCIICase
        var tables: [Table] = []
        for _ in 0..<random.below(6) {
            let name = random.name()
            guard !tables.contains(where: { comparison.areSame($0.name, name) }) else { continue }
            tables.append(.random(name, comparison, &random))
        }
        return DatabaseSchema(name: random.name() + ".db", nameComparison: comparison, tables: tables)
    }
}

extension DatabaseSchema.Table {
    fileprivate static func random(
        _ name: String, _ comparison: DatabaseSchema.NameComparison, _ random: inout Seeded
    ) -> Self {
        var columns: [DatabaseSchema.Column] = []
        for _ in 0...random.below(10) {
            let name = random.below(12) == 0 ? ["_id", "_ID"][random.below(2)] : random.name()
            guard !columns.contains(where: { comparison.areSame($0.name, name) }) else { continue }
            let kinds: [Column.Kind] = [.integer, .real, .text, .boolean, .blob, .any]
            columns.append(
                DatabaseSchema.Column(
                    name: name, kind: kinds[random.below(kinds.count)], takesOtherKinds: random.below(2) == 0,
                    declaredType: random.below(3) == 0
                        ? random.name() : ["", "INTEGER", "VARCHAR(3)"][random.below(3)],
                    isNullable: random.below(2) == 0, isGenerated: random.below(8) == 0))
        }
        return DatabaseSchema.Table(
            name: name, isOwn: random.below(8) == 0, obstacle: random.below(3) == 0 ? "is no table" : nil,
            columns: columns,
            primaryKey: random.below(3) == 0 ? [] : key(of: columns, &random),
            otherKeys: (0..<random.below(3)).map { _ in key(of: columns, &random) })
    }

    private static func key(of columns: [DatabaseSchema.Column], _ random: inout Seeded) -> [String] {
        let count = random.below(6) == 0 ? columns.count : 1 + random.below(2)
        return Array(columns.map(\.name).shuffled(using: &random).prefix(count))
    }
}

extension Seeded {
    /// A name of a table or column: mostly as people choose them, else any characters.
    fileprivate mutating func name() -> String {
        if below(2) == 0 {
            let names = [
                "orders", "ORDERS", "Order", "users", "id", "Id", "email", "password", "api_token", "on", "no", "null",
                "true", "~",
                "<<",
                "messages", "events", "thing", "things", "status", "everyone", "1", "3.5", "010", "customer_id",
            ]
            return names[below(names.count)]
        }
        let characters: [Unicode.Scalar] = [
            "a", "b", "s", "Z", "_", "-", "0", " ", "\n", "\t", "\r", "\"", "'", "\\", ":", "#", "{", "}", "[", "]",
            ",",
            "*", "&", "!", "|", ">", "%", "@", "`", "é", "\u{85}", "\u{2028}", "\u{FEFF}", "\u{7F}", "\u{0}", "\u{301}",
            "😀", "\u{10FFFF}", "\u{E0FF}", "日",
        ]
        return String(String.UnicodeScalarView((0..<below(6)).map { _ in characters[below(characters.count)] }))
    }
}
