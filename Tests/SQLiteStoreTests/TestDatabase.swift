import Foundation
import GRDB
import Logging
import ModelStore
import Testing
import WireJSON

@testable import SQLiteStore

/// A database in a directory of its own, which goes when the tests end: a store may outlive the last use of this value.
struct TestDatabase: Sendable {
    let directory: String
    var path: String { directory + "/rolecall.db" }

    init() throws {
        directory = Self.root + "/" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    private static let root: String = {
        atexit { try? FileManager.default.removeItem(atPath: TestDatabase.root) }
        return FileManager.default.temporaryDirectory.path + "/rolecall-tests-" + UUID().uuidString
    }()

    func open(_ models: [ModelDeclaration] = .standard, schema: [String] = [.thing]) throws -> SQLiteDatabaseStore {
        try SQLiteDatabaseStore.open(path: path, models: models, schema: schema, logger: .silent)
    }

    /// A connection that knows nothing of the store, as another program has it.
    func foreign() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.allowsUnsafeTransactions = true
        return try DatabaseQueue(path: path, configuration: configuration)
    }
}

/// Waits for something that comes about by itself.
func eventually(_ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("it has not come to be")
}

extension Logger {
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

extension [ModelDeclaration] {
    static var standard: [ModelDeclaration] { [.user, .message, .thing] }
}

extension ModelDeclaration {
    static var user: ModelDeclaration {
        ModelDeclaration(name: "user", path: "users", table: "rolecall_user", secret: ["password"])
    }
    static var message: ModelDeclaration {
        ModelDeclaration(name: "message", path: "messages", table: "rolecall_message")
    }
    static var thing: ModelDeclaration { ModelDeclaration(name: "thing", path: "things", table: "thing") }
}

extension String {
    static var thing: String {
        """
        CREATE TABLE IF NOT EXISTS thing(_id INTEGER PRIMARY KEY, name TEXT NOT NULL, info TEXT, \
        active BOOLEAN NOT NULL DEFAULT 1, admin_only BOOLEAN NOT NULL DEFAULT 0)
        """
    }
}

extension SQLiteDatabaseStore {
    func model(_ name: String) throws -> Model {
        try #require(models.first { $0.name == name })
    }

    func events(after sequence: Int64 = 0) async throws -> [ChangeRecord] {
        try await read { try $0.events(after: sequence, limit: 1_000_000) }.value
    }

    func rows(of name: String) async throws -> [ModelStore.Row] {
        let model = try model(name)
        return try await read { transaction in
            var rows: [ModelStore.Row] = []
            try transaction.rows(of: model, after: nil, equals: []) { row in
                rows.append(row)
                return true
            }
            return rows
        }.value
    }
}

extension ChangeRecord {
    /// The event in one line, for tables of expectations: `updated 1 name=a -> name=b`.
    func summary(_ column: String = "name") -> String {
        func state(_ row: ModelStore.Row?) -> String {
            guard let value = row?[column] else { return "-" }
            return value.json.stringValue ?? value.json.description
        }
        let key = self.key.json.stringValue ?? self.key.json.description
        return "\(change) \(key) \(state(before)) \(state(after))"
    }
}
