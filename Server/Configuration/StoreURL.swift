import Foundation
import Logging
import ModelStore
import SQLiteStore

/// URLs of databases: the one place that knows which stores there are.
///
/// | URL | store |
/// | --- | --- |
/// | `sqlite:FILE` | one SQLite file |
enum StoreURL {
    /// What stands in front of a path.
    private static let fileScheme = "sqlite:"

    /// The database that a URL names.
    ///
    /// - Parameter source: what to call the place that the URL comes from, in a sentence.
    /// - Throws: ``StartupError`` for a URL of no store.
    static func location(
        _ url: String, source: String = "--store", logger: Logger
    ) throws -> any DatabaseLocation {
        guard url.hasPrefix(fileScheme), url.utf8.count > fileScheme.utf8.count else {
            throw StartupError("\(source) takes sqlite:FILE, not \(url).")
        }
        return SQLiteLocation(path: String(url.dropFirst(fileScheme.count)), logger: logger)
    }

    /// The database of a data directory, where none is named.
    static func standard(in directory: String) -> String { "\(fileScheme)\(directory)/rolecall.db" }

    /// The same database, for a file in another directory: a path that is not absolute is taken from there.
    static func resolved(_ url: String, from directory: String) -> String {
        let path = url.dropFirst(fileScheme.count)
        guard url.hasPrefix(fileScheme), !path.isEmpty, !path.hasPrefix("/") else { return url }
        return "\(fileScheme)\(directory)/\(path)"
    }

    /// How a file in a directory names the same database: ``resolved(_:from:)`` leads back to it.
    static func relative(_ url: String, to directory: String) -> String {
        guard url.hasPrefix(fileScheme) else { return url }
        let database = URL(fileURLWithPath: String(url.dropFirst(fileScheme.count))).standardizedFileURL
        let isBeside =
            database.deletingLastPathComponent().path == URL(fileURLWithPath: directory).standardizedFileURL.path
        return fileScheme + (isBeside ? database.lastPathComponent : database.path)
    }
}
