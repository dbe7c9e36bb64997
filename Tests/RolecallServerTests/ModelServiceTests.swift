import Foundation
import Logging
import ModelStore
import RolecallProtocol
import SQLiteStore
import Testing
import WireJSON

@testable import RolecallServer

@Suite("Rows read and written as somebody")
struct ModelServiceTests {
    /// A model of which users see neither the cost, which every row must have, nor the slot, of which each has its own.
    private func withNotes(
        _ fields: [String: String] = ["cost": "admin", "slot": "admin"], cost: String = "cost REAL NOT NULL",
        _ body: (ModelService, _ user: Principal, _ admin: Principal) async throws -> Void
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
                    read: everybody, create: everybody, update: everybody, remove: everybody, fields: fields)
            ])
        let service = ModelService(store: store, policy: policy)
        func principal(_ role: String) async throws -> Principal {
            let user = try await store.write(by: nil) {
                try $0.insertUser(email: role, name: role, role: role, password: "-")
            }.value
            return Principal(
                user: user.summary, session: nil, generation: user.generation,
                expiresAt: Timestamp(seconds: 4_000_000_000), readAt: 0)
        }
        try await body(service, principal("user"), principal("admin"))
        try await store.close()
    }

    private func failure(_ body: () async throws(RequestFailure) -> Void) async -> String? {
        do throws(RequestFailure) {
            try await body()
            return nil
        } catch {
            return error.error.json.description
        }
    }

    @Test("a column that must be given is not named to those who may not see it")
    func required() async throws {
        try await withNotes { service, user, admin in
            let told = await failure { () throws(RequestFailure) in _ = try await service.create("note", [:], as: user)
            }
            #expect(told?.contains("forbidden") == true)
            #expect(told?.contains("cost") == false)
            let asAdmin = await failure { () throws(RequestFailure) in
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
            let told = await failure { () throws(RequestFailure) in
                _ = try await service.create("note", ["body": "b"], as: user)
            }
            #expect(told?.contains("conflict") == true)
            #expect(told?.contains("slot") == false)
            let asAdmin = await failure { () throws(RequestFailure) in
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
            let told = await failure { () throws(RequestFailure) in
                _ = try await service.get(model, key: .integer(1), as: user)
            }
            #expect(told?.contains("forbidden") == true)
        }
    }

    @Test("a value in the form in which it is told is taken back; no number is no value")
    func forms() throws {
        func column(_ kind: Column.Kind) -> Column {
            Column(name: "x", kind: kind, isRequired: false, isNullable: true)
        }
        func value(_ json: JSON, _ kind: Column.Kind) -> Value? { try? ModelService.value(json, for: column(kind)) }
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
        #expect(ModelService.value(text: "nan", for: column(.real)) == nil)
        #expect(ModelService.value(text: "1.5", for: column(.real)) == .real(1.5))
    }
}
