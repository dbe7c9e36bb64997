import ModelStore
import RolecallProtocol
import SocketIOClient
import TestSupport
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

/// A small application with teams: who is in a project sees its tickets, and owners of the project what they cost.
private let sql = """
    CREATE TABLE projects(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
    CREATE TABLE members(id INTEGER PRIMARY KEY, user_id INTEGER, project_id INTEGER, role TEXT, note TEXT,
      UNIQUE(user_id, project_id));
    CREATE TABLE guests(email TEXT, project_id INTEGER);
    CREATE TABLE tickets(id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER, title TEXT NOT NULL, cost INTEGER);
    INSERT INTO projects(name) VALUES ('one'), ('two'), ('three');
    """

private let yaml = """
    memberships:
      project:
        - {table: members, user: user_id, of: project_id, role: role}
        - {table: guests, user: {email: email}, of: project_id}
    models:
      ticket:
        table: tickets
        read: [{role: admin}, {member: {project: project_id}}]
        write: [{member: {project: project_id, as: [owner, editor]}}]
        fields:
          cost:
            read: [{role: admin}, {member: {project: project_id, as: owner}}]
            write: [{member: {project: project_id, as: owner}}]
      project:
        table: projects
        read: [{role: admin}, {member: {project: _id}}]
      member:
        table: members
        read: [{role: admin}, {member: {project: project_id}}]
        write:
          - {role: admin, authority: true}
          - {member: {project: project_id, as: owner}, authority: true}
    """

/// A server with that, and users ann (2), ben (3) and cleo (4); the staff is 1.
private func withProjects(
    _ body: (LiveServer, _ tokens: [String: String]) async throws -> Void
) async throws {
    try await withTables(sql, yaml) { server, _ in
        var tokens: [String: String] = [:]
        for (name, role) in [("ann", "user"), ("ben", "user"), ("cleo", "user"), ("root", "admin")] {
            try await server.store.transaction {
                _ = try $0.insertUser(email: "\(name)@example.com", name: name, role: role, password: "-")
            }
            tokens[name] = try await server.token(for: "\(name)@example.com")
        }
        try await body(server, tokens)
    }
}

extension TestSocket {
    /// The identity that tells of these memberships of projects.
    fileprivate func belongs(to projects: [Int64]) async throws -> Identity {
        try await first { item in
            item.identity.flatMap { $0.projects == projects ? $0 : nil }
        }
    }

    /// The titles of the tickets that it was told of.
    fileprivate var titles: [String] {
        get async { await received.compactMap { $0.modelEvent?.row["title"]?.stringValue } }
    }
}

extension Identity {
    fileprivate var projects: [Int64]? { memberships?.entries.compactMap(\.of.integerValue) }
}

@Suite("Memberships")
struct MembershipTests {
    @Test("who belongs to a project sees its rows, by REST and live, and no others")
    func visibility() async throws {
        try await withProjects { server, tokens in
            try await server.shell(
                """
                INSERT INTO members(user_id, project_id, role) VALUES (2, 1, 'owner'), (3, 2, 'editor'), (3, NULL, 'owner');
                INSERT INTO guests VALUES ('ANN@example.com', 3), (NULL, 2), ('ann@example.com', NULL);
                INSERT INTO guests VALUES ('ANN@example.com', 3);
                INSERT INTO tickets(project_id, title, cost) VALUES (1, 'a', 5), (2, 'b', 6), (3, 'c', 7), (NULL, 'd', 8);
                """)
            let list = try await send(server, tokens["ann"]!, "GET", "/api/tickets")
            #expect(list.json.arrayValue?.map { $0["title"] } == ["a", "c"])
            #expect(list.json.arrayValue?.map { $0["cost"] } == [5, nil], "The cost is for the project's owners.")
            let projects = try await send(server, tokens["ben"]!, "GET", "/api/projects")
            #expect(projects.json.arrayValue?.map { $0["name"] } == ["two"], "\(projects)")
            #expect(try await send(server, tokens["cleo"]!, "GET", "/api/tickets").json == .array([]))
            #expect(try await send(server, tokens["ann"]!, "GET", "/api/tickets/2").status == 404)
            #expect(try await send(server, tokens["ann"]!, "GET", "/api/tickets/1").json["cost"] == 5)
            #expect(try await server.request("GET", "/api/tickets", headers: [], body: "").status == 401)

            let ann = try await server.connect(auth: ["token": .string(tokens["ann"]!)])
            let ben = try await server.connect(auth: ["token": .string(tokens["ben"]!)])
            let root = try await server.connect(auth: ["token": .string(tokens["root"]!)])
            let identity = try await ann.identity(.auth)
            #expect(
                identity.memberships
                    == IdentityMemberships(entries: [
                        .init(name: "project", of: 1, roles: ["owner"]), .init(name: "project", of: 3, roles: []),
                    ]))
            #expect(identity.models == ["member", "message", "project", "ticket"])
            _ = try await ben.identity(.auth)
            _ = try await root.identity(.auth)
            try await server.shell(
                """
                INSERT INTO tickets(project_id, title, cost) VALUES (1, 'e', 1), (2, 'f', 2), (3, 'g', 3), (9, 'h', 4);
                UPDATE tickets SET project_id = 2 WHERE title = 'a'; DELETE FROM tickets WHERE title = 'c';
                INSERT INTO tickets(project_id, title) VALUES (1, 'end'), (2, 'end');
                """)
            for socket in [ann, ben, root] {
                _ = try await socket.first { $0.modelEvent?.row["title"] == "end" ? 1 : nil }
            }
            let told = await ann.received.compactMap(\.modelEvent)
            #expect(told.map(\.operation) == [.created, .created, .hidden, .removed, .created])
            #expect(told.map { $0.row["cost"] } == [1, nil, nil, nil, .null])
            #expect(await ben.titles == ["f", "a", "end"])
            #expect(await root.titles.count == 7)
        }
    }

    @Test("a membership that comes, changes and goes is in force on open sockets, whoever changed it")
    func changes() async throws {
        try await withProjects { server, tokens in
            let ann = try await server.connect(auth: ["token": .string(tokens["ann"]!)])
            #expect(try await ann.identity(.auth).projects == [])
            try await server.shell("INSERT INTO members(user_id, project_id, role) VALUES (2, 1, 'viewer')")
            let joined = try await ann.belongs(to: [1])
            #expect(joined.reason == .membershipChanged)
            #expect(joined.epoch == 2)
            #expect(joined.affects == ["member", "project", "ticket"])
            try await server.shell("INSERT INTO tickets(project_id, title) VALUES (1, 'a')")
            _ = try await ann.first { $0.modelEvent?.row["title"] == "a" ? true : nil }

            // A column that says nothing of it, and a table that says the same as before.
            try await server.shell(
                """
                UPDATE members SET note = 'n'; BEGIN; DELETE FROM members;
                INSERT INTO members(user_id, project_id, role) VALUES (2, 1, 'viewer'); COMMIT;
                """)
            let raised = try await send(server, tokens["root"]!, "PATCH", "/api/members/1", ["role": "owner"])
            #expect(raised.status == 200)
            let owner = try await ann.first { item in
                item.identity.flatMap { $0.memberships?.entries.first?.roles == ["owner"] ? $0 : nil }
            }
            #expect(owner.epoch == 3, "What says the same is no change.")

            // REPLACE takes the row from her and gives it to another, without a trigger for hers.
            try await server.shell("REPLACE INTO members(id, user_id, project_id) VALUES (1, 3, 1)")
            let left = try await ann.first { item in
                item.identity.flatMap { $0.epoch > owner.epoch ? $0 : nil }
            }
            #expect(left.projects == [])
            try await server.shell("INSERT INTO tickets(project_id, title) VALUES (1, 'b')")
            #expect(try await send(server, tokens["ann"]!, "GET", "/api/tickets").json == .array([]))
            #expect(try await send(server, tokens["ben"]!, "GET", "/api/tickets").json.arrayValue?.count == 2)
            _ = try await ann.call("whoami")
            #expect(await ann.titles == ["a"])
        }
    }

    @Test("an address that changes takes other memberships, and a user who is gone has none")
    func users() async throws {
        try await withProjects { server, tokens in
            try await server.shell("INSERT INTO guests VALUES ('new@example.com', 2)")
            let ann = try await server.connect(auth: ["token": .string(tokens["ann"]!)])
            #expect(try await ann.identity(.auth).projects == [])
            try await server.shell("UPDATE rolecall_user SET email = 'new@example.com' WHERE _id = 2")
            #expect(try await ann.belongs(to: [2]).reason == .membershipChanged)
            try await server.shell("DELETE FROM rolecall_user WHERE _id = 2")
            #expect(try await ann.identity(.userRemoved).memberships == nil)
        }
    }

    @Test("what a table granted ends when it is gone, and comes back with it")
    func vanished() async throws {
        try await withProjects { server, tokens in
            try await server.shell("INSERT INTO members(user_id, project_id, role) VALUES (2, 1, 'owner')")
            let ann = try await server.connect(auth: ["token": .string(tokens["ann"]!)])
            #expect(try await ann.identity(.auth).projects == [1])
            #expect(try await server.request("GET", "/readyz", headers: [], body: "").status == 200)
            try await server.shell("ALTER TABLE members RENAME TO elsewhere")
            #expect(try await ann.first { $0.identity.flatMap { $0.epoch == 2 ? $0 : nil } }.projects == [])
            #expect(try await send(server, tokens["ann"]!, "GET", "/api/tickets").json == .array([]))
            let ready = try await server.request("GET", "/readyz", headers: [], body: "")
            #expect(ready.status == 503)
            try await server.shell("ALTER TABLE elsewhere RENAME TO members")
            #expect(try await ann.first { $0.identity.flatMap { $0.epoch == 3 ? $0 : nil } }.projects == [1])
            #expect(try await server.request("GET", "/readyz", headers: [], body: "").status == 200)
            try await server.shell("UPDATE members SET project_id = 2")
            #expect(try await ann.first { $0.identity.flatMap { $0.epoch == 4 ? $0 : nil } }.projects == [2])
        }
    }

    @Test("a filter by a column that the caller sees in some rows alone finds none of the others")
    func filters() async throws {
        try await withProjects { server, tokens in
            try await server.shell(
                """
                INSERT INTO members(user_id, project_id, role) VALUES (2, 1, 'owner'), (2, 2, 'viewer');
                INSERT INTO tickets(project_id, title, cost) VALUES (1, 'a', 5), (2, 'b', 5), (2, 'c', 6);
                """)
            let list = try await send(server, tokens["ann"]!, "GET", "/api/tickets?cost=5")
            #expect(list.json.arrayValue?.map { $0["title"] } == ["a"])
            #expect(try await send(server, tokens["ann"]!, "GET", "/api/tickets?cost=6").json == .array([]))
        }
    }

    @Test("writing asks for a role in the project, and a column for its own")
    func writing() async throws {
        try await withProjects { server, tokens in
            try await server.shell(
                """
                INSERT INTO members(user_id, project_id, role) VALUES (2, 1, 'owner'), (2, 2, 'viewer'), (3, 1, 'editor');
                INSERT INTO tickets(project_id, title, cost) VALUES (1, 'a', 5), (2, 'b', 6);
                """)
            let (ann, ben) = (tokens["ann"]!, tokens["ben"]!)
            #expect(try await send(server, ben, "POST", "/api/tickets", ["project_id": 1, "title": "c"]).status == 201)
            #expect(try await send(server, ben, "POST", "/api/tickets", ["project_id": 2, "title": "c"]).status == 403)
            #expect(
                try await send(server, ben, "POST", "/api/tickets", ["project_id": 1, "title": "c", "cost": 1]).status
                    == 403)
            #expect(try await send(server, ann, "PATCH", "/api/tickets/2", ["title": "c"]).status == 403)
            #expect(try await send(server, ann, "PATCH", "/api/tickets/1", ["cost": 7]).json["cost"] == 7)
            #expect(try await send(server, ben, "PATCH", "/api/tickets/1", ["cost": 8]).status == 422)
            // Out of the writer's reach.
            #expect(try await send(server, ann, "PATCH", "/api/tickets/1", ["project_id": 2]).status == 403)
            // Replacing a row leaves alone what its author does not see.
            let replaced = try await send(server, ben, "PUT", "/api/tickets/1", ["project_id": 1, "title": "z"])
            #expect(replaced.json["title"] == "z")
            #expect(try await send(server, ann, "GET", "/api/tickets/1").json["cost"] == 7)
            #expect(try await send(server, ben, "DELETE", "/api/tickets/1").status == 204)
            #expect(try await send(server, ben, "DELETE", "/api/tickets/2").status == 404)
        }
    }

    @Test("no member gives a role that is not the member's own, and nobody joins by himself")
    func authority() async throws {
        try await withProjects { server, tokens in
            try await server.shell(
                "INSERT INTO members(user_id, project_id, role) VALUES (2, 1, 'owner'), (3, 1, 'editor')")
            let (ann, ben, root) = (tokens["ann"]!, tokens["ben"]!, tokens["root"]!)
            func row(_ user: Int64, _ project: Int64, _ role: JSON) -> JSON {
                ["user_id": .integer(user), "project_id": .integer(project), "role": role]
            }
            #expect(try await send(server, ben, "POST", "/api/members", row(3, 2, "owner")).status == 403)
            #expect(try await send(server, ben, "PATCH", "/api/members/2", ["role": "owner"]).status == 403)
            #expect(try await send(server, ann, "POST", "/api/members", row(4, 1, "king")).status == 403)
            #expect(try await send(server, ann, "POST", "/api/members", row(4, 2, "owner")).status == 403)
            #expect(try await send(server, ann, "PATCH", "/api/members/2", ["project_id": 2]).status == 403)
            let joined = try await send(server, ann, "POST", "/api/members", row(4, 1, "owner"))
            #expect(joined.status == 201)
            #expect(try await send(server, ann, "PATCH", "/api/members/2", ["note": "n"]).status == 200)
            #expect(try await send(server, ann, "DELETE", "/api/members/2").status == 204)
            #expect(try await send(server, root, "POST", "/api/members", row(3, 3, "king")).status == 201)
        }
    }

    @Test("a client that comes back after its memberships have changed begins anew")
    func recovery() async throws {
        try await withProjects { server, tokens in
            try await server.shell("INSERT INTO members(user_id, project_id, role) VALUES (2, 1, 'owner')")
            let first = try await server.connect(auth: ["token": .string(tokens["ann"]!)])
            _ = try await first.identity(.auth)
            try await server.shell("INSERT INTO tickets(project_id, title) VALUES (1, 'a')")
            let event = try await first.first(\.modelEvent)
            let pid = try #require(first.connection.pid)
            await first.connection.disconnect()
            func comeBack() async throws -> TestSocket {
                try await server.connect(
                    auth: [
                        "token": .string(tokens["ann"]!), "pid": .string(pid),
                        "offset": .string(event.position.description),
                    ])
            }
            let same = try await comeBack()
            #expect(same.connection.pid == pid)
            await same.connection.disconnect()
            try await server.shell("INSERT INTO members(user_id, project_id, role) VALUES (2, 2, 'owner')")
            let other = try await comeBack()
            #expect(other.connection.pid != pid)
        }
    }

    @Test("an explanation names the membership that grants, or that is lacking")
    func explanation() async throws {
        try await withProjects { server, tokens in
            try await server.shell("INSERT INTO members(user_id, project_id, role) VALUES (2, 1, 'viewer')")
            let made = try await server.store.transaction { [model = try server.model("ticket")] in
                _ = try $0.insert(
                    [("project_id", .integer(1)), ("title", .text("a")), ("cost", .integer(3))], into: model)
            }.place
            func explain(_ user: String) async throws -> JSON {
                try await send(server, tokens["root"]!, "GET", "/api/events/\(made)/explain?user=\(user)").json
            }
            let member = try await explain("ann@example.com")
            #expect(
                member["sentence"]
                    == "ann@example.com (user) gets ticket:save (created): read rule 2 (project_id is a project of the user) grants it."
            )
            #expect(
                member["after"]?["withheld"]?.arrayValue?.first?["sentence"]
                    == "cost is for role admin, or project_id is a project of the user as owner.")
            let stranger = try await explain("ben@example.com")
            let reasons = stranger["after"]?["rules"]?.arrayValue?.last?["reasons"]?.arrayValue
            #expect(reasons?.first?["sentence"] == "The user does not belong to the project 1.", "\(stranger)")
        }
    }

    @Test(
        "after an identity nothing follows that it can't see, while members come and go", arguments: [1, 2] as [UInt64])
    func fence(seed: UInt64) async throws {
        try await withProjects { server, tokens in
            var sockets: [TestSocket] = []
            for name in ["ann", "ben", "cleo", "ann", "ben", "cleo"] {
                sockets.append(try await server.connect(auth: ["token": .string(tokens[name]!)]))
            }
            for socket in sockets { _ = try await socket.identity(.auth) }
            var random = Seeded(seed)
            for _ in 0..<60 {
                let (user, project) = (2 + random.below(3), 1 + random.below(3))
                let change =
                    switch random.below(4) {
                    case 0: "DELETE FROM members WHERE user_id = \(user) AND project_id = \(project);"
                    case 1: "UPDATE OR REPLACE members SET user_id = \(user) WHERE project_id = \(project);"
                    default: "REPLACE INTO members(user_id, project_id, role) VALUES (\(user), \(project), 'owner');"
                    }
                let rows = (1...3).map { "INSERT INTO tickets(project_id, title) VALUES (\($0), 't');" }.joined()
                try await server.shell("BEGIN; \(change) COMMIT; \(rows)")
            }
            let last = try await server.store.transaction { [model = try server.model("ticket")] in
                for project in 1...3 {
                    _ = try $0.insert(
                        [("project_id", .integer(Int64(project))), ("title", .text("last"))], into: model)
                }
            }.place
            await server.told(last)
            var told = 0
            for (number, socket) in sockets.enumerated() {
                _ = try await socket.call("whoami")
                var projects: [Int64] = []
                var lastOnes: Set<Int64> = []
                for item in await socket.received {
                    if let identity = item.identity { projects = identity.projects ?? [] }
                    guard let event = item.modelEvent, event.model == "ticket", event.operation == .created else {
                        continue
                    }
                    let project = event.row["project_id"]?.integerValue ?? 0
                    #expect(projects.contains(project), "socket \(number), seed \(seed)")
                    told += 1
                    if event.row["title"] == "last" { lastOnes.insert(project) }
                }
                #expect(lastOnes == Set(projects), "socket \(number), seed \(seed)")
            }
            #expect(told > 100)
        }
    }
}
