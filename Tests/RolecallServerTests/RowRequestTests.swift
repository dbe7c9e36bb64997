import Foundation
import ModelStore
import RolecallProtocol
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

/// Rows of tables that somebody else has made, over REST.
@Suite("Rows of somebody's own tables")
struct RowRequestTests {
    private static let tables = """
        CREATE TABLE article(code TEXT PRIMARY KEY NOT NULL, name TEXT, "net price" REAL,
            gross REAL GENERATED ALWAYS AS ("net price" * 2), slot INTEGER UNIQUE, shown BOOLEAN NOT NULL DEFAULT 1);
        CREATE TABLE sale(id INTEGER PRIMARY KEY, ticket TEXT NOT NULL UNIQUE, note TEXT,
            article TEXT REFERENCES article(code) ON DELETE RESTRICT);
        INSERT INTO article(code, name, "net price", slot) VALUES ('a', 'kettle', 2.5, 1), ('50 % é/1, [x?', 'cup', 3, 2);
        INSERT INTO article(code, slot, shown) VALUES ('hidden', 3, 0);
        INSERT INTO sale VALUES (77, 't1', 'gift', 'a');
        """

    private static let configuration = """
        roles: [guest, user, admin]
        models:
          article:
            read: [{role: user, when: {shown: true}}, {role: admin}]
            write: {role: admin}
          sale: {key: ticket, read: {role: user}, write: {role: admin}}
        """

    private struct Shop {
        let server: LiveServer

        func send(
            _ method: String, _ path: String, as role: String = "admin", _ body: JSON? = nil
        ) async throws -> HTTPAnswer {
            let token = try await server.token(for: "\(role)@example.com")
            return try await server.request(
                method, "/api/\(path)", headers: [("Authorization", "Bearer \(token)")], body: body?.description ?? "")
        }
    }

    private func withShop(_ body: (Shop) async throws -> Void) async throws {
        let directory = NSTemporaryDirectory() + "rolecall-shop-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let shell = try SQLiteShell(directory + "/shop.db")
        try await shell.run(Self.tables)
        await shell.end()
        try Self.configuration.write(toFile: directory + "/rolecall.yml", atomically: true, encoding: .utf8)
        let file = try LoadedFile(path: directory + "/rolecall.yml")
        try await LiveServer.run { configuration in
            configuration.storeURL = "sqlite:" + directory + "/shop.db"
            configuration.file = file
            configuration.isDemo = false
            configuration.attaches = true
        } _: { server in
            for role in ["user", "admin"] {
                try await server.store.transaction {
                    _ = try $0.insertUser(email: "\(role)@example.com", name: role, role: role, password: "-")
                }
            }
            try await body(Shop(server: server))
        }
    }

    @Test("a key stands in a path percent-encoded, whatever characters it has")
    func keys() async throws {
        try await withShop { shop in
            let path = "articles/50%20%25%20%C3%A9%2F1%2C%20%5Bx%3F"
            let read = try await shop.send("GET", path)
            #expect(read.status == 200)
            #expect(read.json["_id"] == "50 % é/1, [x?")
            #expect(try await shop.send("PATCH", path, ["name": "mug"]).json["name"] == "mug")
            #expect(try await shop.send("DELETE", path).status == 204)
            #expect(try await shop.send("GET", path).status == 404)
            for broken in ["articles/%", "articles/%zz", "articles/%FF"] {
                #expect(try await shop.send("GET", broken).status == 404)
            }
        }
    }

    @Test("so does a column's name in a query")
    func columns() async throws {
        try await withShop { shop in
            let found = try await shop.send("GET", "articles?net%20price=2.5")
            #expect(found.status == 200)
            #expect(found.json.arrayValue?.map { $0["_id"] } == ["a"])
            #expect(try await shop.send("GET", "articles?net%price=2.5").status == 422)
        }
    }

    @Test("a row that is replaced keeps what the table gives by itself: what it computes, and the row's number")
    func replacing() async throws {
        try await withShop { shop in
            let article = try await shop.send("PUT", "articles/a", ["net price": 4, "shown": true])
            #expect(article.status == 200)
            #expect(
                article.json
                    == ["_id": "a", "name": nil, "net price": 4, "gross": 8, "slot": nil, "shown": true])
            let sale = try await shop.send("PUT", "sales/t1", ["article": "a"])
            #expect(sale.status == 200)
            #expect(sale.json == ["id": 77, "_id": "t1", "note": nil, "article": "a"])
            #expect(try await shop.send("PATCH", "sales/t1", ["id": nil]).status == 422)
        }
    }

    @Test("who may not change a row is not told that a hidden one stands against the change")
    func probing() async throws {
        try await withShop { shop in
            let hidden = try await shop.send("PATCH", "articles/a", as: "user", ["slot": 3])
            let free = try await shop.send("PATCH", "articles/a", as: "user", ["slot": 4])
            #expect((hidden.status, free.status) == (403, 403))
            #expect(hidden.body == free.body)
            #expect(try await shop.send("PATCH", "articles/a", ["slot": 3]).status == 409)
        }
    }

    @Test("a row that others refer to stays, and that is a conflict")
    func references() async throws {
        try await withShop { shop in
            let answer = try await shop.send("DELETE", "articles/a")
            #expect(answer.status == 409)
            #expect(answer.json["error"] == "conflict")
            #expect(try await shop.send("PATCH", "sales/t1", ["article": "nowhere"]).status == 409)
        }
    }
}
