import Foundation
import HTTPTypes
import ModelStore
import RolecallProtocol
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

@Suite("A change that was made by what its writer has read")
struct PreconditionTests {
    private struct Desk {
        let server: LiveServer
        let token: String

        func send(
            _ method: String, _ path: String, ifMatch: String? = nil, _ body: JSON? = nil
        ) async throws -> HTTPAnswer {
            var headers = [("Authorization", "Bearer \(token)")]
            if let ifMatch { headers.append(("If-Match", ifMatch)) }
            return try await server.request(
                method, "/api/things\(path)", headers: headers, body: body?.description ?? "")
        }

        func tag(_ answer: HTTPAnswer) throws -> String { try #require(answer.headers["etag"]) }
    }

    private func desk(_ body: @escaping @Sendable (Desk) async throws -> Void) async throws {
        try await LiveServer.run { server in
            try await body(Desk(server: server, token: try await server.token(for: "test@example.com")))
        }
    }

    @Test("a change by the newest tag is made, one by an older tag is refused, and nothing is lost")
    func lostUpdate() async throws {
        try await desk { desk in
            let created = try await desk.send("POST", "", ["name": "valve"])
            let id = try #require(created.json["_id"]?.integerValue)
            let read = try await desk.send("GET", "/\(id)")
            let tag = try desk.tag(read)
            #expect(tag == "\"\(try #require(read.headers["x-rolecall-position"]))\"")

            let mine = try await desk.send("PATCH", "/\(id)", ifMatch: tag, ["info": "mine"])
            #expect(mine.status == 200)
            let theirs = try await desk.send("PATCH", "/\(id)", ifMatch: tag, ["info": "theirs"])
            #expect(theirs.status == 412)
            #expect(theirs.json["error"] == "precondition_failed")
            #expect(try await desk.send("PUT", "/\(id)", ifMatch: tag, ["name": "theirs"]).status == 412)
            #expect(try await desk.send("DELETE", "/\(id)", ifMatch: tag).status == 403, "A user removes nothing.")
            #expect(try await desk.send("GET", "/\(id)").json["info"] == "mine")

            let again = try await desk.send("PATCH", "/\(id)", ifMatch: try desk.tag(mine), ["info": "both"])
            #expect(again.status == 200)
        }
    }

    @Test("a change by the shell counts, one of another row does not")
    func shell() async throws {
        try await desk { desk in
            let created = try await desk.send("POST", "", ["name": "pump"])
            let id = try #require(created.json["_id"]?.integerValue)
            let tag = try desk.tag(created)
            try await desk.server.shell("INSERT INTO thing(name) VALUES ('other')")
            #expect(try await desk.send("PATCH", "/\(id)", ifMatch: tag, ["info": "1"]).status == 200)
            let next = try desk.tag(try await desk.send("GET", "/\(id)"))
            try await desk.server.shell("UPDATE thing SET info = 'shell' WHERE _id = \(id)")
            #expect(try await desk.send("PATCH", "/\(id)", ifMatch: next, ["info": "2"]).status == 412)
        }
    }

    @Test(
        "a tag that says nothing of this log matches nothing",
        arguments: ["\"abc\"", "\"\"", "W/\"weak\"", "\"000000000001-0000000000000001\"", "none"])
    func foreign(tag: String) async throws {
        try await desk { desk in
            let created = try await desk.send("POST", "", ["name": "pump"])
            let id = try #require(created.json["_id"]?.integerValue)
            #expect(try await desk.send("PATCH", "/\(id)", ifMatch: tag, ["info": "1"]).status == 412)
            let future = Position(
                era: try await desk.server.store.head().era, sequence: 1 << 40)
            #expect(try await desk.send("PATCH", "/\(id)", ifMatch: "\"\(future)\"", ["info": "1"]).status == 412)
            #expect(try await desk.send("PATCH", "/\(id)", ifMatch: "*", ["info": "1"]).status == 200)
            #expect(try await desk.send("PATCH", "/999999", ifMatch: tag, ["info": "1"]).status == 404)
        }
    }

    @Test("of several tags the newest counts")
    func several() async throws {
        try await desk { desk in
            let created = try await desk.send("POST", "", ["name": "pump"])
            let id = try #require(created.json["_id"]?.integerValue)
            let old = try desk.tag(created)
            let changed = try await desk.send("PATCH", "/\(id)", ["info": "1"])
            #expect(
                try await desk.send("PATCH", "/\(id)", ifMatch: "\(old), \(try desk.tag(changed))", ["info": "2"])
                    .status
                    == 200)
        }
    }
}

@Suite("The spelling of keys in paths")
struct RowKeyTests {
    private let line = Model(
        name: "line", path: "lines", table: "line",
        key: Column(name: "_id", kind: .text, isRequired: false, isNullable: false), keyColumns: ["order", "sku"],
        columns: [
            Column(name: "_id", kind: .text, isRequired: false, isNullable: false),
            Column(name: "order", kind: .integer, isRequired: true, isNullable: false),
            Column(name: "sku", kind: .text, isRequired: true, isNullable: false),
        ])

    @Test(
        "several columns are one text: a JSON array, or the parts with commas",
        arguments: [
            ("[7,\"shirt\"]", "[7,\"shirt\"]"), ("[ 7 , \"shirt\" ]", "[7,\"shirt\"]"), ("7,shirt", "[7,\"shirt\"]"),
            ("7,", "[7,\"\"]"), ("[7]", nil), ("7", nil), ("x,shirt", nil), ("[7,[1]]", nil), ("[7", nil),
            ("7,a,b", nil), ("", nil),
        ] as [(String, String?)])
    func several(text: String, key: String?) {
        #expect(RowKey.value(text: text, of: line) == key.map { .text($0) })
    }

    @Test("a part of a key is found by its column")
    func part() {
        let key = Value.text("[7,\"shirt\"]")
        #expect(RowKey.part("order", of: key, in: line) == .integer(7))
        #expect(RowKey.part("sku", of: key, in: line) == .text("shirt"))
        #expect(RowKey.part("other", of: key, in: line) == nil)
        #expect(RowKey.part("order", of: .text("no array"), in: line) == nil)
    }
}
