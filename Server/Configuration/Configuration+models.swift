import ModelStore
import RolecallConfiguration

extension Configuration {
    /// Which models there are, and who may do what with them: the built-in ones, and the configuration file's.
    ///
    /// - Throws: ``StartupError`` with every mistake of the file; `StoreError` where the database can't be looked at.
    func resolved(at location: any DatabaseLocation) async throws -> ResolvedConfiguration {
        guard let file else { return .builtIn(demo: isDemo) }
        return try file.resolved(against: try await location.schema(), isDemo: isDemo)
    }
}
