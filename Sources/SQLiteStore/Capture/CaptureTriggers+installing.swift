import GRDB
import ModelStore

extension CaptureTriggers: TriggerSet {
    func check(in db: Database) throws {
        do {
            let column = table.sources.first { source in
                table.fields.contains { $0.name == source.name && !$0.isGenerated }
            }
            try db.compileWrites(of: table.table, column: SQL.name(column?.name ?? table.keys[0].name))
        } catch let error as DatabaseError {
            throw StoreError.unusable(
                """
                The table \(table.model.table) of model \(table.model.name) can't tell its changes: \
                \(error.message ?? "SQLite \(error.resultCode)").
                """)
        }
    }
}
