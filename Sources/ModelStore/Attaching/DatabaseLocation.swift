/// A database before it is opened for service: looked at, attached to, opened.
public protocol DatabaseLocation: Sendable {
    /// As its user names it, for sentences.
    var name: String { get }

    /// Whether there is a database yet; ``open(_:)`` makes it.
    func exists() async throws -> Bool

    /// What stands in it; no table where there is no database yet. Nothing of it is changed.
    func schema() async throws -> DatabaseSchema

    /// What opening it with these models would put into it. Nothing of it is changed.
    ///
    /// - Throws: as ``open(_:)``.
    func plan(_ options: OpeningOptions) async throws -> AttachmentPlan

    /// Puts that there, in one transaction.
    ///
    /// - Returns: what was put there.
    @discardableResult
    func attach(_ options: OpeningOptions) async throws -> AttachmentPlan

    /// Takes the triggers of models out of it; with `everything` all that the store has ever put there, its users,
    /// messages and log included. A server that runs on the database puts back what it misses: it has to be ended first.
    ///
    /// - Parameter models: names.
    /// - Returns: a sentence for each thing that was taken out.
    func detach(_ models: [String], everything: Bool) async throws -> [String]

    /// How each model stands: those that are declared, then those that have been attached beyond them.
    func status(of models: [ModelDeclaration]) async throws -> [ModelStatus]

    /// Opens the database, or makes it where there is none yet, brings the store's own tables to this version, and puts
    /// the capture of each model and of each table of memberships in place.
    ///
    /// - Throws: ``StoreError/unusable(_:cause:)`` for a database that can't be used, a newer version, a model whose table
    ///   does not fit, a table of memberships that lacks a column; ``StoreError/unavailable(_:cause:)`` where it is locked for too long.
    func open(_ options: OpeningOptions) async throws -> any Store
}

/// With what a database is opened.
public struct OpeningOptions: Hashable, Sendable {
    /// The models whose changes come into the log.
    public var models: [ModelDeclaration]
    /// The tables that say who belongs where.
    public var memberships: [MembershipSource]
    /// Whether the demo's table `thing` is made where it is missing.
    public var makesDemoTable: Bool
    /// Whether tables of others may be given capture that have never had it.
    public var consent: Consent

    public init(
        models: [ModelDeclaration], memberships: [MembershipSource] = [], makesDemoTable: Bool = false,
        consent: Consent = .required
    ) {
        self.models = models
        self.memberships = memberships
        self.makesDemoTable = makesDemoTable
        self.consent = consent
    }
}
