/// What each role may see and do: an ordered list of roles, and rules for each model.
///
/// A rule grants; where no rule does, there is no access.
public struct Policy: Hashable, Sendable {
    /// From the least to the most. The first is the role of a socket without a user.
    public var roles: [String]
    public var models: [String: ModelPolicy]

    /// - Parameter roles: at least one; later ones may everything that earlier ones may.
    public init(roles: [String], models: [String: ModelPolicy]) {
        self.roles = roles
        self.models = models
    }

    /// The rank of a role; an unknown one ranks with the lowest, so that a misspelt role opens nothing.
    public func rank(of role: String?) -> Int {
        guard let role else { return 0 }
        return roles.firstIndex(of: role) ?? 0
    }

    /// The rank that a rule requires; above every rank for a role that is not in the list, so that a misspelt rule opens
    /// nothing either.
    public func threshold(of role: String) -> Int {
        roles.firstIndex(of: role) ?? .max
    }

    public var lowestRole: String { roles.first ?? "guest" }

    /// A principal, reduced to what the rules can tell apart: all principals with the same view are sent the same bytes.
    ///
    /// - Parameter user: nil for a socket without a user.
    public func view(role: String?, user: Owner?) -> View {
        guard let user else { return View(rank: 0, owner: nil) }
        let rank = rank(of: role)
        return View(rank: rank, owner: user.reduced(to: models.values.flatMap { ownerships(in: $0, at: rank) }))
    }

    /// A view, reduced further to what the rules of one model can tell apart: all whose views are the same in a model
    /// are sent the same bytes of each of its events. So ownership in one model costs nothing in the others.
    public func view(_ view: View, in model: String) -> View {
        guard let owner = view.owner, let rules = models[model] else { return View(rank: view.rank, owner: nil) }
        return View(rank: view.rank, owner: owner.reduced(to: ownerships(in: rules, at: view.rank)))
    }

    /// The ownerships that decide what a rank sees of a model: those that the rules within its reach require, unless one
    /// of these rules grants every row.
    private func ownerships(in rules: ModelPolicy, at rank: Int) -> [Ownership] {
        guard shows(Model.keyName, under: rules, at: rank) else { return [] }
        let reached = rules.read.filter { reaches($0.role, at: rank) }
        return reached.contains { $0.grantsEveryRow } ? [] : reached.compactMap(\.owner)
    }

    /// Whether a rank is that of a role or higher; nil asks for no role.
    func reaches(_ role: String?, at rank: Int) -> Bool {
        role.map { rank >= threshold(of: $0) } ?? true
    }

    /// Whether a rank sees a column of the rows that it sees.
    func shows(_ column: String, under rules: ModelPolicy, at rank: Int) -> Bool {
        reaches(rules.fields[column], at: rank)
    }
}

/// A class of receivers that see the same.
public struct View: Hashable, Sendable {
    /// The index of the role in ``Policy/roles``.
    public var rank: Int
    /// The user, where ownership decides what this rank sees.
    public var owner: Owner?

    public init(rank: Int, owner: Owner?) {
        self.rank = rank
        self.owner = owner
    }

    /// Whether everything that the other view sees is seen by this one, too, whatever the rules are: each rule asks for
    /// the least role, or for the row's owner.
    public func sees(allThat other: View) -> Bool {
        guard rank >= other.rank else { return false }
        guard let holder = other.owner else { return true }
        return owner?.id == holder.id && (holder.email == nil || owner?.email == holder.email)
    }
}

/// The rules of one model.
public struct ModelPolicy: Hashable, Sendable {
    public var read: [Rule]
    public var create: [Rule]
    public var update: [Rule]
    public var remove: [Rule]
    /// The least role that sees a column; a column that is not named here is seen with its row. Without the key no row
    /// is seen: a client could neither tell it from others nor know when it is gone.
    public var fields: [String: String]
    /// The least role that writes a column, beyond what writing its row requires. No user writes a column that they do not see.
    public var writing: [String: String]
    /// Columns that the server fills in when a row is made; no user writes them.
    public var stamps: [String: Stamp]

    public init(
        read: [Rule], create: [Rule] = [], update: [Rule] = [], remove: [Rule] = [], fields: [String: String] = [:],
        writing: [String: String] = [:], stamps: [String: Stamp] = [:]
    ) {
        self.read = read
        self.create = create
        self.update = update
        self.remove = remove
        self.fields = fields
        self.writing = writing
        self.stamps = stamps
    }
}

/// What the server itself writes into a column of a new row.
public enum Stamp: String, Hashable, Sendable {
    case authorID
    case authorName
    case now
}

/// Grants when all that it names holds.
public struct Rule: Hashable, Sendable {
    /// The least role; nil asks for none.
    public var role: String?
    /// Columns and the values that they must have, as ``Value/isSame(as:)`` compares them. A column that a row lacks
    /// has no value, not even NULL.
    public var when: [String: Value]
    /// The column that must name the user. It grants nothing to those who are not signed in.
    public var owner: Ownership?

    public init(role: String? = nil, when: [String: Value] = [:], owner: Ownership? = nil) {
        self.role = role
        self.when = when
        self.owner = owner
    }

    /// Whether it asks for nothing but a role.
    var grantsEveryRow: Bool { when.isEmpty && owner == nil }
}
