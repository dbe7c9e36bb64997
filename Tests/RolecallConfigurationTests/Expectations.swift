import ModelStore
import RolecallConfiguration
import Testing

/// All mistakes of a text, as they are shown to its author.
func mistakes(in text: String, against schema: DatabaseSchema = Shop.schema) -> [Mistake] {
    let (file, mistakes) = ConfigurationFile.read(text, name: "c.yml", settings: Shop.settings)
    return (mistakes + file.resolve(against: schema).mistakes).sorted { $0.location < $1.location }
}

/// - Parameter expected: `line:column: sentence`.
func expectMistakes(in text: String, _ expected: [String], sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(
        mistakes(in: text).map(\.description) == expected.map { "c.yml:" + $0 }, sourceLocation: sourceLocation)
}

/// What a text resolves to; it has no mistakes.
func resolved(
    _ text: String, against schema: DatabaseSchema = Shop.schema, sourceLocation: SourceLocation = #_sourceLocation
) -> ResolvedConfiguration {
    let (file, mistakes) = ConfigurationFile.read(text, name: "c.yml", settings: Shop.settings)
    let (resolved, others) = file.resolve(against: schema)
    #expect((mistakes + others).map(\.description) == [], sourceLocation: sourceLocation)
    return resolved
}
