import Foundation
import Testing
import WireJSON

extension EndToEnd {
    /// The README's worked example: `Examples/Shop`, a database of an application that has never heard of Rolecall.
    @Suite("A shop's own tables")
    struct ShopTests {
        private static let manager = Account(email: "mia@example.com", password: "manager's word")
        private static let staff = Account(email: "sam@example.com", password: "staff's word")
        private static let customer = Account(email: "carla@example.com", password: "customer's word")
        private static let other = Account(email: "david@example.com", password: "another's word")

        /// The example's files in a directory of their own, its tables filled.
        private func withShop(_ body: (TemporaryDirectory) async throws -> Void) async throws {
            try await withTemporaryDirectory { directory in
                let example = try Programs.root().appendingPathComponent("Examples/Shop")
                try FileManager.default.copyItem(
                    at: example.appendingPathComponent("rolecall.yml"), to: directory.file("rolecall.yml"))
                let statements = try String(contentsOf: example.appendingPathComponent("shop.sql"), encoding: .utf8)
                _ = try await Shell.sqlite(directory.file("shop.db"), statements)
                try await body(directory)
            }
        }

        private func run(
            _ directory: TemporaryDirectory, _ arguments: String..., input: [String] = []
        ) async throws -> Run {
            try await Shell.run(
                Programs.server(), arguments + ["--config", directory.file("rolecall.yml").path], input: input)
        }

        private func attach(_ directory: TemporaryDirectory) async throws {
            let attached = try await run(directory, "models", "attach", "--yes")
            try #require(attached.exit == .status(0), "\(attached)")
            for (account, role) in [
                (Self.manager, "manager"), (Self.staff, "staff"), (Self.customer, "customer"), (Self.other, "customer"),
            ] {
                let added = try await run(
                    directory, "user", "add", "--email", account.email, "--role", role, "--password-stdin",
                    input: [account.password])
                try #require(added.exit == .status(0), "\(added)")
            }
        }

        @Test("nothing is put into somebody's database before he was asked, and what it will be is shown")
        func consent() async throws {
            try await withShop { directory in
                let database = directory.file("shop.db")
                let before = try Data(contentsOf: database)
                let checked = try await run(directory, "check")
                #expect(checked.exit == .status(0), "\(checked)")
                #expect(checked.output.first?.contains("is right: 3 models") == true, "\(checked)")
                let started = try await run(directory, "--port", "0")
                #expect(started.exit == .status(1), "\(started)")
                #expect(started.errors.joined().contains("models attach"), "\(started)")
                let asked = try await run(directory, "models", "attach")
                #expect(asked.exit == .status(1), "\(asked)")
                #expect(asked.output.contains { $0.contains("orders") }, "\(asked)")
                #expect(asked.errors.joined().contains("--yes"), "\(asked)")
                #expect(try Data(contentsOf: database) == before, "Not a byte has changed.")

                try await attach(directory)
                let status = try await run(directory, "models", "status")
                #expect(status.exit == .status(0), "\(status)")
                let detached = try await run(directory, "models", "detach", "--everything", "--yes")
                #expect(detached.exit == .status(0), "\(detached)")
                let left = try await Shell.sqlite(
                    database, "SELECT count(*) FROM sqlite_master WHERE name LIKE 'rolecall%'")
                #expect(left.output == ["0"])
            }
        }

        @Test(
            "customers see their orders, staff all of them, the manager what they cost; live, as the shop's own shell writes"
        )
        func roles() async throws {
            try await withShop { directory in
                try await attach(directory)
                let server = try await ServerProcess(
                    ["--config", directory.file("rolecall.yml").path], data: directory.file("data"))
                let peers = try PeerHost()
                var sockets: [Account: SocketPeer] = [:]
                var tokens: [Account: String] = [:]
                for account in [Self.manager, Self.staff, Self.customer, Self.other] {
                    let token = try await peers.signIn(server, account)
                    let socket = try await peers.connect(server, auth: ["token": .string(token)])
                    let identity = try await socket.identity("auth")
                    #expect(identity.identity["models"] == ["customer", "line", "message", "order", "user"])
                    (sockets[account], tokens[account]) = (socket, token)
                }
                let database = directory.file("shop.db")
                _ = try await Shell.sqlite(
                    database,
                    """
                    PRAGMA foreign_keys = ON; BEGIN;
                    INSERT INTO orders(id, customer, note) VALUES (3, 'carla@example.com', 'gift');
                    INSERT INTO order_lines(order_id, line, customer, article, quantity, price, cost)
                        VALUES (3, 1, 'carla@example.com', 'mug', 2, 8.5, 3);
                    UPDATE orders SET status = 'shipped' WHERE id = 2;
                    COMMIT;
                    """)
                let lines = try await rows("line", 1, of: sockets)
                let orders = try await rows("order", 1, of: sockets)
                let mug: JSONObject = [
                    "_id": "[3,1]", "order_id": 3, "line": 1, "customer": "carla@example.com", "article": "mug",
                    "quantity": 2, "price": 8.5, "amount": 17.0,
                ]
                var priced = mug
                priced["cost"] = 3.0
                #expect(lines[Self.customer]?.map(sorted) == [sorted(.object(mug))])
                #expect(lines[Self.staff]?.map(sorted) == [sorted(.object(mug))])
                #expect(lines[Self.manager]?.map(sorted) == [sorted(.object(priced))])
                #expect(lines[Self.other] == [])
                #expect(orders[Self.customer]?.map { $0["_id"] } == [3])
                #expect(orders[Self.customer]?.allSatisfy { $0["note"] == nil } == true)
                #expect(orders[Self.staff]?.map { $0["_id"] } == [3, 2])
                #expect(orders[Self.staff]?.first?["note"] == "gift")
                #expect(orders[Self.other]?.map { $0["status"] } == ["shipped"])

                // The same by REST, and what nobody may.
                func http(
                    _ account: Account, _ method: String, _ path: String, _ json: JSON? = nil
                ) async throws
                    -> HTTPAnswer
                {
                    try await peers.http(server, method, path, json: json, token: tokens[account])
                }
                #expect(try await http(Self.customer, "GET", "/api/orders").json.arrayValue?.count == 2)
                #expect(try await http(Self.customer, "GET", "/api/order-lines/3,1").json["cost"] == nil)
                #expect(try await http(Self.manager, "GET", "/api/order-lines/3,1").json["cost"] == 3.0)
                #expect(try await http(Self.other, "GET", "/api/order-lines/3,1").status == 404)
                #expect(try await http(Self.customer, "PATCH", "/api/orders/3", ["status": "paid"]).status == 403)
                #expect(try await http(Self.staff, "PATCH", "/api/orders/3", ["status": "lost"]).status == 422)
                #expect(try await http(Self.staff, "PATCH", "/api/orders/3", ["status": "paid"]).status == 200)
                #expect(try await http(Self.staff, "DELETE", "/api/orders/3").status == 403)
                #expect(try await http(Self.manager, "DELETE", "/api/orders/3").status == 204)
                let gone = try await sockets[Self.customer]?.event("line:remove")
                #expect(gone?.arguments.first == ["_id": "[3,1]"], "The order's lines went with it.")

                // A customer may not see the back office.
                #expect(try await sockets[Self.customer]?.call("join", "back-office")["error"] == "forbidden")
                #expect(try await sockets[Self.staff]?.call("join", "back-office")["data"] == "joined")

                try await peers.end()
                #expect(try await server.stop() == .status(0))
            }
        }

        @Test("a first file is written from the tables, is right as it stands, and is never written over")
        func initialises() async throws {
            try await withShop { directory in
                let file = directory.file("first.yml").path
                let arguments = ["init", "--store", "sqlite:\(directory.file("shop.db").path)", "--config", file]
                let written = try await Shell.run(Programs.server(), arguments)
                #expect(written.exit == .status(0), "\(written)")
                let checked = try await Shell.run(Programs.server(), ["check", "--config", file])
                #expect(checked.exit == .status(0), "\(checked)")
                #expect(checked.output.first?.contains("3 models") == true, "\(checked)")
                let text = try String(contentsOfFile: file, encoding: .utf8)
                let again = try await Shell.run(Programs.server(), arguments)
                #expect(again.exit == .status(1), "\(again)")
                #expect(again.errors.joined().contains("is there already"), "\(again)")
                #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
            }
        }

        @Test("every mistake of a file is told at once, with its place, and nothing is started")
        func mistakes() async throws {
            try await withShop { directory in
                try """
                store: sqlite:shop.db
                models:
                  order: {table: order, read: everyone}
                  line: {table: order_lines, read: {owner: {email: custmer}}}
                """.write(to: directory.file("rolecall.yml"), atomically: true, encoding: .utf8)
                for arguments in [["check"], ["--attach", "--port", "0"]] {
                    let run = try await Shell.run(
                        Programs.server(), arguments + ["--config", directory.file("rolecall.yml").path])
                    #expect(run.exit == .status(1), "\(run)")
                    #expect(run.errors.count == 2, "\(run)")
                    #expect(run.errors.contains { $0.contains("rolecall.yml:3:") && $0.contains("orders") }, "\(run)")
                    #expect(run.errors.contains { $0.contains("rolecall.yml:4:") && $0.contains("customer") }, "\(run)")
                }
            }
        }

        @Test("the log is pruned, and a row's past and a person's name are taken out of it")
        func forgets() async throws {
            try await withShop { directory in
                try await attach(directory)
                let database = directory.file("shop.db")
                _ = try await Shell.sqlite(
                    database,
                    """
                    UPDATE orders SET note = 'secret' WHERE id = 1; UPDATE orders SET note = NULL WHERE id = 1;
                    UPDATE orders SET note = 'other' WHERE id = 2;
                    """)
                let erased = try await run(directory, "events", "erase", "--model", "order", "--key", "1")
                #expect(erased.output == ["erased 2 events of order 1"], "\(erased)")
                let left = try await Shell.sqlite(
                    database,
                    "SELECT count(*) FROM rolecall_events WHERE instr(coalesce(\"after\", \"before\", ''), 'secret')")
                #expect(left.output == ["0"])
                let pruned = try await run(directory, "events", "prune", "--keep", "1")
                #expect(pruned.exit == .status(0), "\(pruned)")
                #expect(try await Shell.sqlite(database, "SELECT count(*) FROM rolecall_events").output == ["1"])
                let named = try await run(directory, "events", "erase", "--user", Self.staff.email)
                #expect(named.output == ["took the name of \(Self.staff.email) off 0 events"], "\(named)")
                let unknown = try await run(directory, "events", "erase", "--model", "orders", "--key", "1")
                #expect(unknown.exit == .status(1), "\(unknown)")
            }
        }

        /// What each socket was told of a model, once those who see all of it have been told so much.
        private func rows(
            _ model: String, _ count: Int, of sockets: [Account: SocketPeer]
        ) async throws -> [Account: [JSON]] {
            var rows: [Account: [JSON]] = [:]
            for (account, socket) in sockets {
                // Everybody's barrier: a message that all of them see.
                let mark = "barrier \(model) \(account.email)"
                _ = try await socket.call("message", ["room": "shop-floor", "body": .string(mark)])
                _ = try await socket.event("message:save") { $0.first?["body"] == .string(mark) }
                rows[account] = socket.heard.compactMap { heard in
                    guard case .event("\(model):save", let arguments) = heard.kind else { return nil }
                    return arguments.first
                }
            }
            return rows
        }

        private func sorted(_ row: JSON) -> String {
            (row.objectValue ?? [:]).map { "\($0.key): \($0.value)" }.sorted().joined(separator: ", ")
        }
    }
}
