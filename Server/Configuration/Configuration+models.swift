import Foundation
import ModelStore
import RolecallConfiguration
import SQLiteStore

extension Configuration {
    /// Which models there are, and who may do what with them: the built-in ones, and the configuration file's.
    ///
    /// - Throws: ``StartupError`` with every mistake of the file; `StoreError` where the database can't be looked at.
    func resolved() throws -> ResolvedConfiguration {
        guard let file else { return .builtIn(demo: isDemo) }
        return try file.resolved(against: try DatabaseSchema.of(path: databasePath), isDemo: isDemo)
    }
}

extension DatabaseSchema {
    /// What stands in a database file; nothing where there is none yet.
    static func of(path: String) throws -> DatabaseSchema {
        guard FileManager.default.fileExists(atPath: path) else { return DatabaseSchema(name: path, tables: []) }
        return try SQLiteDatabaseStore.schema(path: path)
    }
}
