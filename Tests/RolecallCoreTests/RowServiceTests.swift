import Foundation
import Logging
import ModelStore
import RolecallConfiguration
import RolecallProtocol
import SQLiteStore
import Testing
import WireJSON

@testable import RolecallCore

@Suite("Rows read and written as somebody")
struct RowServiceTests {
    /// A model of which users see neither the cost, which every row must have, nor the slot, of which each has its own.
    private func withNotes(
        _ fields: [String: String] = ["cost": "admin", "slot": "admin"], cost: String = "cost REAL NOT NULL",
        _ body: (RowService, _ user: Claimant, _ admin: Claimant) async throws -> Void
    ) async throws {
        let directory = NSTemporaryDirectory() + "rolecall-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let table =
            "CREATE TABLE IF NOT EXISTS note(_id INTEGER PRIMARY KEY, body TEXT, \(cost), slot UNIQUE DEFAULT 1)"
        let store = try SQLiteDatabaseStore.open(
            path: directory + "/rolecall.db", models: [ModelDeclaration(name: "note", path: "notes", table: "note")],
            schema: [table], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let everybody = [Rule(role: "user")]
        let policy = Policy(
            roles: BuiltInModels.roles,
            models: [
                "note": ModelPolicy(
                    read: everybody, create: everybody, update: everybody, remove: everybody,
                    fields: fields.mapValues { ColumnAccess(role: $0) })
            ])
        let service = RowService(store: store, policy: policy)
        func claimant(_ role: String) async throws -> Claimant {
            let user = try await store.transaction {
                try $0.insertUser(email: role, name: role, role: role, password: "-")
            }.value
            return Claimant(
                user: user.id, session: nil, generation: user.generation,
                expiresAt: Timestamp(seconds: 4_000_000_000), role: role)
        }
        try await body(service, claimant("user"), claimant("admin"))
        try await store.close()
    }

    private func failure(_ body: () async throws(DomainError) -> Void) async -> String? {
        do throws(DomainError) {
            try await body()
            return nil
        } catch {
            return error.wireError.json.description
        }
    }

    @Test("a column that must be given is not named to those who may not see it")
    func required() async throws {
        try await withNotes { service, user, admin in
            let told = await failure { () throws(DomainError) in _ = try await service.create("note", [:], as: user)
            }
            #expect(told?.contains("forbidden") == true)
            #expect(told?.contains("cost") == false)
            let asAdmin = await failure { () throws(DomainError) in
                _ = try await service.create("note", [:], as: admin)
            }
            #expect(asAdmin?.contains("needs a cost") == true)
        }
    }

    @Test("a conflict in a column is told without its name to those who may not see it")
    func conflict() async throws {
        try await withNotes(cost: "cost REAL") { service, user, admin in
            let row = try await service.create("note", ["body": "a"], as: user).value
            #expect(row.columns == ["_id", "body"])
            let told = await failure { () throws(DomainError) in
                _ = try await service.create("note", ["body": "b"], as: user)
            }
            #expect(told?.contains("conflict") == true)
            #expect(told?.contains("slot") == false)
            let asAdmin = await failure { () throws(DomainError) in
                _ = try await service.create("note", ["body": "b"], as: admin)
            }
            #expect(asAdmin?.contains("slot") == true)
        }
    }

    @Test("whoever may not see the key is not told that of his own row")
    func hiddenKey() async throws {
        try await withNotes(["_id": "admin"], cost: "cost REAL") { service, user, admin in
            #expect(try await service.create("note", ["slot": 2], as: user).value == Row([]))
            #expect(try await service.create("note", ["slot": 3], as: admin).value["_id"] == .integer(2))
            let model = try #require(service.model(named: "note"))
            let principal = try await user.principal(in: service.store)
            let told = await failure { () throws(DomainError) in
                _ = try await service.get(model, key: .integer(1), as: principal)
            }
            #expect(told?.contains("forbidden") == true)
        }
    }

    @Test("the record decides who writes, whatever role the token names")
    func hint() async throws {
        try await withNotes(cost: "cost REAL") { service, user, admin in
            var demoted = user
            demoted.role = "admin"
            let told = await failure { () throws(DomainError) in
                _ = try await service.create("note", ["body": "a", "cost": 1], as: demoted)
            }
            #expect(told?.contains("no field") == true)
            let model = try #require(service.model(named: "note"))
            #expect(try await service.store.inspect { try $0.row(of: model, key: .integer(1)) }.value == nil)

            for (index, role) in ["user", nil, "nobody"].enumerated() {
                var promoted = admin
                promoted.role = role
                let row = try await service.create(
                    "note", ["body": "b", "cost": 2, "slot": .integer(Int64(index))], as: promoted)
                #expect(row.value["cost"] == .real(2))
                var before = LogCursor(try #require(row.position))
                before.sequence -= 1
                let event = try await service.store.stretch(behind: before, limit: 1).entries.first
                #expect(event?.author == Author(id: admin.user, name: "admin"))
                let changed = try await service.update(
                    model, key: try #require(row.value["_id"]), ["cost": 3], replaces: false, as: promoted)
                #expect(changed.value["cost"] == .real(3))
            }
        }
    }

    @Test("user, session and generation are judged by each write, before anything else that is wrong with it")
    func judged() async throws {
        try await withNotes(cost: "cost REAL") { service, user, admin in
            let store = service.store
            let model = try #require(service.model(named: "note"))
            let key = try #require(try await service.create("note", ["body": "a"], as: admin).value["_id"])
            let now = Timestamp.now
            let session = SessionRecord(id: "s", user: user.user, createdAt: now, expiresAt: user.expiresAt)
            try await store.transaction { try $0.insertSession(session) }
            var claimant = user
            claimant.session = "s"
            _ = try await service.create("note", ["body": "b", "slot": 2], as: admin)
            _ = try await service.update(model, key: key, ["body": "b"], replaces: false, as: claimant)

            func refusals(of claimant: Claimant) async -> [String?] {
                var told: [String?] = []
                for body in [["body": "c"], ["nonsense": 1], "no object"] as [JSON] {
                    told.append(
                        await failure { () throws(DomainError) in
                            _ = try await service.create("note", body, as: claimant)
                        })
                    told.append(
                        await failure { () throws(DomainError) in
                            _ = try await service.update(model, key: key, body, replaces: true, as: claimant)
                        })
                }
                told.append(
                    await failure { () throws(DomainError) in
                        _ = try await service.remove(model, key: key, as: claimant)
                    })
                return told
            }
            let written = try await store.transaction { _ = try $0.revokeSession(id: "s", at: now) }.position
            #expect(await refusals(of: claimant).allSatisfy { $0?.contains("token_revoked") == true })
            claimant.session = "never"
            #expect(await refusals(of: claimant).allSatisfy { $0?.contains("token_revoked") == true })
            var others = admin
            others.session = "s"
            #expect(await refusals(of: others).allSatisfy { $0?.contains("token_revoked") == true })
            var older = user
            older.generation -= 1
            #expect(await refusals(of: older).allSatisfy { $0?.contains("token_revoked") == true })
            var nobody = admin
            nobody.user = 987
            #expect(await refusals(of: nobody).allSatisfy { $0?.contains("user_unknown") == true })
            #expect(CommitPosition.at(try await store.head().position) == written)
        }
    }

    @Test("what is refused by the record or by the rules never waits for the writer")
    func lockless() async throws {
        try await withNotes(cost: "cost REAL") { service, user, _ in
            let store = service.store
            let (begun, held) = (AsyncStream.makeStream(of: Void.self), DispatchSemaphore(value: 0))
            let holder = Task {
                try await store.transaction { _ in
                    begun.continuation.yield()
                    held.wait()
                }
            }
            for await _ in begun.stream { break }
            defer { held.signal() }
            for claimant in [
                user, Claimant(user: 987, session: nil, generation: 0, expiresAt: user.expiresAt, role: "user"),
            ] {
                let told = await failure { () throws(DomainError) in
                    _ = try await service.create("note", ["nonsense": 1], as: claimant)
                }
                #expect(told?.contains(claimant == user ? "invalid_field" : "user_unknown") == true)
            }
            held.signal()
            _ = try await holder.value
        }
    }

    @Test("a value in the form in which it is told is taken back; no number is no value")
    func forms() throws {
        func column(_ kind: Column.Kind) -> Column {
            Column(name: "x", kind: kind, isRequired: false, isNullable: true)
        }
        func value(_ json: JSON, _ kind: Column.Kind) -> Value? { try? RowService.value(json, for: column(kind)) }
        #expect(value(["$real": "Infinity"], .real) == .real(.infinity))
        #expect(value(["$real": "-Infinity"], .any) == .real(-.infinity))
        #expect(value(["$real": "NaN"], .real) == nil)
        #expect(value(["$real": "NaN"], .any) == nil)
        #expect(value(["$real": "Infinity"], .blob) == nil)
        #expect(value(["$blob": "00ff"], .blob) == .blob([0, 255]))
        #expect(value(["$blob": "00ff"], .real) == nil)
        #expect(value(["a"], .any) == nil)
        #expect(value(.integer(.max), .integer) == .integer(.max))
        #expect(value(.null, .real) == .null)
        #expect(RowService.value(text: "nan", for: column(.real)) == nil)
        #expect(RowService.value(text: "1.5", for: column(.real)) == .real(1.5))
    }
}
