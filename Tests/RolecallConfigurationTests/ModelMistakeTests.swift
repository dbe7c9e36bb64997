import RolecallConfiguration
import Testing

/// Models: their tables, keys, paths, fields and stamps.
@Suite struct ModelMistakeTests {
    @Test("models are mappings by their names")
    func models() {
        expectMistakes(
            in: """
                models: [order]
                """,
            [
                "1:9: models takes models by their names, not a list"
            ])
        expectMistakes(
            in: """
                models:
                  order:
                """,
            [
                "2:3: order says nothing; write at least who reads it, like read: [{role: admin}]"
            ])
        expectMistakes(
            in: """
                models:
                  order: orders
                """,
            [
                #"2:10: order takes a mapping like {table: orders, read: [{role: admin}]}, not "orders""#
            ])
    }

    @Test("a model's name can stand in events and paths")
    func modelNames() {
        expectMistakes(
            in: """
                models:
                  "a:b": {table: orders}
                  grün: {table: orders}
                  "": {table: orders}
                """,
            [
                #"2:3: "a:b" can't be a model's name: events and paths are called by it, so it has "#
                    + "letters from A to Z, digits, _ and -, 64 at most; name its table with table:",
                #"3:3: "grün" can't be a model's name: events and paths are called by it, so it has "#
                    + "letters from A to Z, digits, _ and -, 64 at most; name its table with table:",
                #"4:3: "" can't be a model's name: events and paths are called by it, so it has "#
                    + "letters from A to Z, digits, _ and -, 64 at most; name its table with table:",
            ])
    }

    @Test("a name within a model that is not known is told with the nearest")
    func unknownParts() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    raed: everyone
                    colour: red
                """,
            [
                #"4:5: order has no "raed"; is "read" meant?"#,
                #"5:5: order has no "colour"; there are "table", "path", "key", "read", "write", "#
                    + #""create", "update", "remove", "fields" and "stamps""#,
            ])
    }

    @Test("a table that is not there is told with the nearest")
    func missingTables() {
        expectMistakes(
            in: """
                models:
                  order: {read: everyone}
                  bill: {read: everyone}
                """,
            [
                #"2:3: there is no table "order" in shop.db; is "orders" meant? Then name it with table:"#,
                #"3:3: there is no table "bill" in shop.db; there are "customers", "order_lines", "#
                    + #""orders", "notes" and "tags""#,
            ])
        expectMistakes(
            in: """
                models:
                  order: {table: ordres}
                """,
            [
                #"2:18: there is no table "ordres" in shop.db; is "orders" meant?"#
            ])
    }

    @Test("what is no ordinary table of the user's can't be a model")
    func otherTables() {
        expectMistakes(
            in: """
                models:
                  sale: {table: sales}
                  hit: {table: search}
                  shadow: {table: search_data}
                  log: {table: rolecall_events}
                """,
            [
                #"2:17: "sales" is a view; name the table that it shows"#,
                #"3:16: "search" is a virtual table; only ordinary ones can tell their changes"#,
                #"4:19: "search_data" belongs to a virtual table; only ordinary ones can tell their changes"#,
                "5:16: the table rolecall_events is Rolecall's own and can't be a model; name one of yours",
            ])
    }

    @Test("a table that can't be read is told, and nothing that follows from it")
    func unreadableTable() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: [orders]
                    read: [{role: user, when: {nonsense: 1}}]
                """,
            [
                "3:12: table of order takes the table's name, not a list"
            ])
    }

    @Test("a key is told that is not there, or names no row")
    func keys() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    key: idd
                """,
            [
                #"4:10: order has no column "idd"; is "id" meant?"#
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    key: state
                """,
            [
                "4:10: state can't name the rows of orders: they must be its primary key, or unique "
                    + "and NOT NULL; id can"
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    key: [id, ID]
                """,
            [
                #"4:15: "ID" stands twice in key of order; keep one of them"#
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    key: []
                """,
            [
                "4:10: key of order has 0 columns; a row is named by one column, or by up to 8 together"
            ])
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    key: {id: 1}
                """,
            [
                "4:10: key of order takes a column, or a list of columns, not a mapping"
            ])
        expectMistakes(
            in: """
                models:
                  customer: {table: customers, key: [email, id]}
                """,
            [
                "2:37: email and id can't name the rows of customers: they must be its primary key, "
                    + "or unique and NOT NULL; id or email can"
            ])
    }

    @Test("a table whose rows nothing names can't be a model")
    func noKey() {
        expectMistakes(
            in: """
                models:
                  note: {table: notes}
                """,
            [
                "2:17: the table notes has no primary key; give the table one, or a unique index of "
                    + "columns that are NOT NULL"
            ])
    }

    @Test("a table with a column of the key's name beside its key can't be a model")
    func keyName() {
        expectMistakes(
            in: """
                models:
                  tag: {table: tags}
                """,
            [
                #"2:3: the table tags has a column "_id" that is not its key, and every row's key is "#
                    + "told as _id; rename the column"
            ])
    }

    @Test("two models with one path are told, and paths that are the server's")
    func paths() {
        expectMistakes(
            in: """
                models:
                  order: {}
                  orders: {table: orders, path: orders}
                  event: {table: orders}
                  user2: {table: orders, path: users}
                """,
            [
                #"2:3: there is no table "order" in shop.db; is "orders" meant? Then name it with table:"#,
                "3:33: /api/orders is the path of order already; give orders another one with path:",
                "4:3: /api/events is the server's own; give event another one with path:",
                "5:32: /api/users is the path of user already; give user2 another one with path:",
            ])
        expectMistakes(
            in: """
                models:
                  order: {table: orders, path: a/b}
                """,
            [
                #"2:32: "a/b" can't be the last part of /api/...: it has letters from A to Z, digits, "#
                    + "_ and -, 64 at most"
            ])
    }

    @Test("chat is not a model of the file's")
    func message() {
        expectMistakes(
            in: """
                models:
                  message: {read: everyone}
                """,
            [
                "2:3: message is Rolecall's own chat: who reads and writes it is said under rooms:, by room"
            ])
    }

    @Test("of users only who reads them can be said")
    func user() {
        expectMistakes(
            in: """
                models:
                  user:
                    table: people
                    write: everyone
                    colour: red
                    read: [{role: user, when: {nmae: x}}]
                    fields: {email: {write: user}, name: {secret: true}, password: {read: user}, generation: {read: admin}, _id: {read: admin}}
                """,
            [
                "3:5: user is Rolecall's own and takes only read and fields: accounts have routes of their own",
                "4:5: user is Rolecall's own and takes only read and fields: accounts have routes of their own",
                #"5:5: user has no "colour"; there are "read" and "fields""#,
                #"6:32: user has no column "nmae"; is "name" meant?"#,
                "7:29: of a user's fields only {read: role} can be said: accounts have routes of their own",
                "7:43: of a user's fields only {read: role} can be said: accounts have routes of their own",
                #"7:58: user has no column "password"; there are "_id", "email", "name" and "role""#,
                #"7:82: user has no column "generation"; there are "_id", "email", "name" and "role""#,
                "7:109: who sees a user sees his _id; leave the field out",
            ])
    }

    @Test("a field that is not there, or can't be said anything of, is told")
    func fields() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    read: everyone
                    fields:
                      stat: {read: admin}
                      id: {read: admin}
                      state: {}
                      is_gift: admin
                      receipt: {secret: true, read: admin}
                      placed_at: {secret: maybe, hidden: true}
                      State: {read: admin}
                """,
            [
                #"6:7: order has no column "stat"; is "state" meant?"#,
                #"7:7: "id" is of the key of order: who sees a row sees its key; leave the field out"#,
                #"8:14: the field "state" of order says nothing; write {read: role}, {write: role}, "#
                    + "both of them, or {secret: true}",
                #"9:16: the field "is_gift" of order takes {read: role}, {write: role}, both of them, "#
                    + #"or {secret: true}, not "admin""#,
                #"10:37: the field "receipt" of order is secret, so nobody reads or writes it; leave "#
                    + "out secret: true, or the roles",
                #"11:27: the field "placed_at" of order takes true or false, not "maybe""#,
                #"11:34: the field "placed_at" of order has no "hidden"; there are "read", "write" and "secret""#,
                #"12:7: "state" stands in fields already; keep one of them"#,
            ])
        expectMistakes(
            in: """
                models:
                  line:
                    table: order_lines
                    fields: {total: {write: admin}, order_id: {secret: true}, _id: {read: admin}}
                """,
            [
                #"4:29: "total" is computed by the table and never written; leave write out"#,
                #"4:37: "order_id" is of the key of line: who sees a row sees its key; leave the field out"#,
                "4:63: the key of line has several columns; name them: order_id and line",
            ])
    }

    @Test("a stamp that is not there, or has no place in its column, is told")
    func stamps() {
        expectMistakes(
            in: """
                models:
                  order:
                    table: orders
                    fields: {state: {secret: true}}
                    stamps: {id: now, placed_at: today, state: now, is_gift: now, receipt: author-id, taken_by: author-name, gone: now, customer_id: author-id, CUSTOMER_ID: author-id}
                """,
            [
                #"5:14: "id" is of the key, which the server does not fill in; stamp another column"#,
                #"5:34: there is no stamp "today"; there are "author-id", "author-name" and "now""#,
                #"5:41: "state" is secret and never written; stamp another column"#,
                #"5:53: "is_gift" is declared BOOLEAN, which is nothing for a moment like "#
                    + "2026-11-22T13:45:01.123Z; stamp another column",
                #"5:67: "receipt" is declared BLOB, which is nothing for a user's number; stamp another column"#,
                #"5:87: "taken_by" is declared INTEGER, which is nothing for a user's name; stamp another column"#,
                #"5:110: order has no column "gone"; there are "id", "customer_id", "state", "#
                    + #""is_gift", "placed_at", "taken_by" and "receipt""#,
                #"5:145: "customer_id" stands in stamps already; keep one of them"#,
            ])
        expectMistakes(
            in: """
                models:
                  line: {table: order_lines, stamps: {total: now}}
                """,
            [
                #"2:39: "total" is computed by the table and never written; stamp another column"#
            ])
    }
}
