import GRDB
import ModelStore
import Testing

@testable import SQLiteStore

@Suite("Tables whose own triggers write the row before the statement does")
struct BeforeTriggerTests {
    /// In the form in which a trigger is a BEFORE one without saying so, too.
    private static let triggers = [
        "CREATE TRIGGER a BEFORE DELETE ON thing BEGIN UPDATE thing SET info = 'last' WHERE _id = OLD._id; END",
        "CREATE TRIGGER \"b c\" UPDATE OF _id, name ON thing BEGIN UPDATE thing SET info = NEW.name WHERE _id = OLD._id; END",
    ]

    @Test(
        "what goes is told as it was told last",
        arguments: ["DELETE FROM thing", "UPDATE thing SET _id = 9, name = 'z'"])
    func chained(_ statement: String) async throws {
        let kept = try TestDatabase().openKept(schema: [.thing] + Self.triggers.map { $0.ifNotThere })
        try await kept.database.foreign().write { db in
            try db.execute(sql: "INSERT INTO thing(_id, name, info) VALUES (1, 'a', 'first'), (2, 'b', 'first')")
            try db.execute(sql: statement.contains("UPDATE") ? statement + " WHERE _id = 2" : statement)
        }
        var told: [Value: ModelStore.Row] = [:]
        for event in try await kept.store.events() {
            #expect(event.before == told[event.key])
            told[event.key] = event.after
        }
        #expect(Set(told.values) == Set(try await kept.store.rows(of: "thing")))
    }

    @Test("a trigger that comes while the server runs is reckoned with")
    func added() async throws {
        let kept = try TestDatabase().openKept()
        let foreign = try kept.database.foreign()
        try await foreign.write { db in
            try db.execute(sql: "INSERT INTO thing(_id, name, info) VALUES (1, 'a', 'first')")
            for trigger in Self.triggers { try db.execute(sql: trigger) }
        }
        try await eventually {
            try SQLiteDatabaseStore.status(path: kept.database.path, models: [.thing]).first?.state == .attached
        }
        try await foreign.write { try $0.execute(sql: "DELETE FROM thing") }
        let events = try await kept.store.events().suffix(2).map { $0.summary("info") }
        #expect(events == ["updated 1 first last", "removed 1 last -"])
    }
}

extension String {
    /// A statement that makes a trigger, so that it does nothing the second time.
    fileprivate var ifNotThere: String {
        replacing("CREATE TRIGGER ", with: "CREATE TRIGGER IF NOT EXISTS ", maxReplacements: 1)
    }
}
