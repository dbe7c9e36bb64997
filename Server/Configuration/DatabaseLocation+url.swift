import Logging
import ModelStore
import SQLiteStore

/// The database that a URL names: the one place that knows which stores there are.
///
/// - Parameters:
///   - url: `sqlite:FILE`.
///   - source: what to call the place that the URL comes from, in a sentence.
/// - Throws: ``StartupError`` for a URL of no store.
func databaseLocation(_ url: String, source: String = "--store", logger: Logger) throws -> any DatabaseLocation {
    guard url.hasPrefix("sqlite:"), url.utf8.count > 7 else {
        throw StartupError("\(source) takes sqlite:FILE, not \(url).")
    }
    return SQLiteLocation(path: String(url.dropFirst(7)), logger: logger)
}
