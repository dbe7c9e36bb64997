import ModelStore
import RolecallConfiguration

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
        name: "shop.db", nameComparison: .ignoringASCIICase,
        tables: [
            DatabaseSchema.Table(
                name: "customers",
                columns: [
                    column("id", .integer, "INTEGER"), column("email", .text, "TEXT"),
                    column("password_hash", .text, "TEXT"),
                ],
                primaryKey: ["id"], otherKeys: [["email"]]),
            DatabaseSchema.Table(
                name: "order_lines",
                columns: [
                    column("order_id", .integer, "INTEGER"), column("line", .integer, "INTEGER"),
                    column("product", .text, "VARCHAR(20)"), column("cost", .real, "REAL", isNullable: true),
                    column("total", .any, "NUMERIC", isNullable: true, isGenerated: true),
                ],
                primaryKey: ["order_id", "line"]),
            DatabaseSchema.Table(
                name: "orders",
                columns: [
                    column("id", .integer, "INTEGER"), column("customer_id", .integer, "INTEGER"),
                    column("state", .text, "TEXT"), column("is_gift", .boolean, "BOOLEAN"),
                    column("placed_at", .text, "TEXT"), column("taken_by", .integer, "INTEGER", isNullable: true),
                    column("receipt", .blob, "BLOB", isNullable: true),
                ],
                primaryKey: ["id"]),
            DatabaseSchema.Table(
                name: "notes", columns: [column("body", .text, "TEXT", isNullable: true)],
                primaryKey: []),
            DatabaseSchema.Table(
                name: "tags", columns: [column("name", .text, "TEXT"), column("_id", .integer, "INT")],
                primaryKey: ["name"]),
            DatabaseSchema.Table(
                name: "rolecall_events", isOwn: true, columns: [column("seq", .integer, "INTEGER")],
                primaryKey: ["seq"]),
            DatabaseSchema.Table(
                name: "sales", obstacle: "is a view; name the table that it shows",
                columns: [column("id", .integer, "INTEGER")], primaryKey: []),
            DatabaseSchema.Table(
                name: "search", obstacle: "is a virtual table; only ordinary ones can tell their changes",
                columns: [column("body", .any, "")], primaryKey: []),
            DatabaseSchema.Table(
                name: "search_data", obstacle: "belongs to a virtual table; only ordinary ones can tell their changes",
                columns: [column("id", .integer, "INTEGER")], primaryKey: ["id"]),
        ])

    static let settings: Set<String> = ["port", "host", "allowed-origin", "sign-up", "key-file"]

    /// A column as those of SQLite's ordinary tables are.
    static func column(
        _ name: String, _ kind: Column.Kind, _ type: String, isNullable: Bool = false, isGenerated: Bool = false
    ) -> DatabaseSchema.Column {
        DatabaseSchema.Column(
            name: name, kind: kind, takesOtherKinds: true, declaredType: type, isNullable: isNullable,
            isGenerated: isGenerated)
    }
}
