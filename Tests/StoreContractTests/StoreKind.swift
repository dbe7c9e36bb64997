import Foundation
import GRDB
import Logging
import MemoryStore
import ModelStore
import RolecallProtocol
import SQLiteStore
import Testing

/// The stores that the contract is held against, and which situations each can be brought into.
enum StoreKind: String, CaseIterable, CustomTestStringConvertible {
    case sqlite
    case memory

    var testDescription: String { rawValue }

    /// Positions that come later. In SQLite the triggers give them within the commit.
    static let pendingPositions: [StoreKind] = [.memory]
    /// Commits that were done although their call failed. In SQLite one whose flush fails is not in force as long as its
    /// process lives.
    static let commitsDoneUnseen: [StoreKind] = [.memory]
    /// Several writing bodies at the same time. SQLite has one writer.
    static let concurrentBodies: [StoreKind] = [.memory]

    func open() async throws -> any TestStore {
        switch self {
        case .sqlite: try await SQLiteTestStore.open()
        case .memory: MemoryTestStore()
        }
    }
}

/// A store, and what can be done to it from outside.
protocol TestStore: Sendable {
    var store: any Store { get }
    /// Lets the next commit fail in its last moment, with nothing done.
    func cutOffNextCommit()
    func repairAfterCutOff()
    /// Remembers all that is committed.
    func save() async throws
    /// Puts back what was saved, as a restored backup does, and begins a new era.
    func restore() async throws
}

struct MemoryTestStore: TestStore {
    let memory: MemoryStore
    var store: any Store { memory }
    private let saved = Kept<Int64>()

    init(rerunsBodies: Bool = true) {
        memory = MemoryStore(
            [
                .init(.user), .init(.thing, defaults: ["active": .boolean(true), "admin_only": .boolean(false)]),
                .init(.member), .init(.guest),
            ], memberships: MembershipSource.all, seed: .random(in: 1...1_000_000), rerunsBodies: rerunsBodies)
    }

    func cutOffNextCommit() { memory.cutOffNextCommit(.beforeCommit) }
    func repairAfterCutOff() {}
    func save() async throws { saved.value = try await memory.head().sequence }
    func restore() async throws { memory.setBack(to: try #require(saved.value)) }
}

/// A database in a directory of its own, which goes when the tests end.
struct SQLiteTestStore: TestStore {
    let store: any Store
    private let path: String

    private static let root: String = {
        atexit { try? FileManager.default.removeItem(atPath: SQLiteTestStore.root) }
        return FileManager.default.temporaryDirectory.path + "/rolecall-contract-" + UUID().uuidString
    }()

    static func open() async throws -> SQLiteTestStore {
        FailingDisk.install()
        let directory = root + "/" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let path = directory + "/rolecall.db"
        let location = SQLiteLocation(path: path, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let models = [
            ModelDeclaration(name: "user", path: "users", table: "rolecall_user", secret: ["password"]),
            ModelDeclaration(name: "thing", path: "things", table: "thing"),
            ModelDeclaration(name: "member", path: "members", table: "team_member"),
            ModelDeclaration(name: "guest", path: "guests", table: "team_guest"),
        ]
        try await DatabaseQueue(path: path).write { db in
            try db.execute(
                sql: """
                    CREATE TABLE team_member (_id INTEGER PRIMARY KEY, user_id INTEGER, team INTEGER, role TEXT);
                    CREATE TABLE team_guest (_id INTEGER PRIMARY KEY, email TEXT, team INTEGER)
                    """)
        }
        let store = try await location.open(
            OpeningOptions(models: models, memberships: MembershipSource.all, makesDemoTable: true, consent: .given))
        return SQLiteTestStore(store: store, path: path)
    }

    func cutOffNextCommit() { FailingDisk.fail(path) }
    func repairAfterCutOff() { FailingDisk.repair(path) }

    func save() async throws {
        let (live, copy) = (try DatabaseQueue(path: path), try DatabaseQueue(path: path + ".saved"))
        try live.backup(to: copy)
    }

    func restore() async throws {
        let (live, copy) = (try DatabaseQueue(path: path), try DatabaseQueue(path: path + ".saved"))
        try copy.backup(to: live)
        try await store.beginEra()
    }
}

extension MembershipSource {
    static let all = [
        MembershipSource(membership: "team", table: "team_member", user: "user_id", of: "team", role: "role"),
        MembershipSource(
            membership: "team", table: "team_guest", user: Ownership(column: "email", name: .email), of: "team"),
    ]
}

extension Model {
    static let member = Model(
        name: "member", path: "members", table: "team_member",
        key: Column(name: "_id", kind: .integer, isRequired: false, isNullable: false),
        columns: [
            Column(name: "_id", kind: .integer, isRequired: false, isNullable: false),
            Column(name: "user_id", kind: .integer, isRequired: false, isNullable: true),
            Column(name: "team", kind: .integer, isRequired: false, isNullable: true),
            Column(name: "role", kind: .text, isRequired: false, isNullable: true),
        ])
    static let guest = Model(
        name: "guest", path: "guests", table: "team_guest",
        key: Column(name: "_id", kind: .integer, isRequired: false, isNullable: false),
        columns: [
            Column(name: "_id", kind: .integer, isRequired: false, isNullable: false),
            Column(name: "email", kind: .text, isRequired: false, isNullable: true),
            Column(name: "team", kind: .integer, isRequired: false, isNullable: true),
        ])
    static let user = Model(
        name: "user", path: "users", table: "rolecall_user",
        key: Column(name: "_id", kind: .integer, isRequired: false, isNullable: false),
        columns: [
            Column(name: "_id", kind: .integer, isRequired: false, isNullable: false),
            Column(name: "email", kind: .text, isRequired: true, isNullable: false),
            Column(name: "name", kind: .text, isRequired: true, isNullable: false),
            Column(name: "role", kind: .text, isRequired: true, isNullable: false),
            Column(name: "generation", kind: .integer, isRequired: false, isNullable: false),
        ])
    static let thing = Model(
        name: "thing", path: "things", table: "thing",
        key: Column(name: "_id", kind: .integer, isRequired: false, isNullable: false),
        columns: [
            Column(name: "_id", kind: .integer, isRequired: false, isNullable: false),
            Column(name: "name", kind: .text, isRequired: true, isNullable: false),
            Column(name: "info", kind: .text, isRequired: false, isNullable: true),
            Column(name: "active", kind: .boolean, isRequired: false, isNullable: false),
            Column(name: "admin_only", kind: .boolean, isRequired: false, isNullable: false),
        ])
}
