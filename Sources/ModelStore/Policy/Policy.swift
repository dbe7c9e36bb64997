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
    /// - Parameters:
    ///   - user: nil for a socket without a user.
    ///   - memberships: what the user belongs to.
    public func view(role: String?, user: Owner?, memberships: Memberships = .none) -> View {
        guard let user else { return View(rank: 0, owner: nil) }
        let rank = rank(of: role)
        var distinctions = Distinctions()
        for rules in models.values { distinctions.formUnion(of: rules, at: rank, under: self) }
        return View(rank: rank, owner: user, memberships: memberships).reduced(to: distinctions)
    }

    /// A view, reduced further to what the rules of one model can tell apart: all whose views are the same in a model
    /// are sent the same bytes of each of its events. So ownership in one model costs nothing in the others.
    public func view(_ view: View, in model: String) -> View {
        guard view.owner != nil || view.memberships != nil, let rules = models[model] else {
            return View(rank: view.rank, owner: nil)
        }
        var distinctions = Distinctions()
        distinctions.formUnion(of: rules, at: view.rank, under: self)
        return view.reduced(to: distinctions)
    }

    /// Whether some rule asks for a membership.
    public var goesByMemberships: Bool {
        models.values.contains { rules in
            let accesses = Array(rules.fields.values) + rules.writing.values
            let lists = [rules.read, rules.create, rules.update, rules.remove] + accesses.map(\.rules)
            return lists.contains { $0.contains { $0.member != nil } }
        }
    }

    /// The models that may look different to a view once its memberships of these names have changed, sorted.
    public func models(decidedBy memberships: Set<String>, at rank: Int) -> [String] {
        models.filter { _, rules in
            var distinctions = Distinctions()
            distinctions.formUnion(of: rules, at: rank, under: self)
            return !distinctions.memberships.isDisjoint(with: memberships)
        }.keys.sorted()
    }

    /// Whether a rank is that of a role or higher; nil asks for no role.
    func reaches(_ role: String?, at rank: Int) -> Bool {
        role.map { rank >= threshold(of: $0) } ?? true
    }

    /// Whether a rule could grant this view some row.
    func reaches(_ rule: Rule, for view: View) -> Bool {
        reaches(rule.role, at: view.rank) && (rule.owner == nil || view.owner != nil)
            && (rule.member == nil || view.memberships != nil)
    }

    /// Whether there are rows in which a view sees a column.
    func mayShow(_ column: String, under rules: ModelPolicy, to view: View) -> Bool {
        guard let access = rules.fields[column] else { return true }
        return access.rules.contains { reaches($0, for: view) }
    }

    /// Whether a view sees a column of a row that it sees.
    func shows(_ column: String, of row: Row, under rules: ModelPolicy, to view: View) -> Bool {
        guard let access = rules.fields[column] else { return true }
        return access.rules.contains { grants($0, row: row, to: view) }
    }
}

/// What of a user decides what a rank sees of some models.
private struct Distinctions {
    var ownerships: [Ownership] = []
    var memberships: Set<String> = []

    /// What the rules within the rank's reach ask for, list by list; nothing where one of a list grants every row.
    mutating func formUnion(of rules: ModelPolicy, at rank: Int, under policy: Policy) {
        let key = rules.fields[Model.keyName]
        guard key.map({ $0.rules.contains { policy.reaches($0.role, at: rank) } }) ?? true else { return }
        formUnion(of: rules.read, at: rank, under: policy)
        for access in rules.fields.values { formUnion(of: access.rules, at: rank, under: policy) }
    }

    private mutating func formUnion(of rules: [Rule], at rank: Int, under policy: Policy) {
        var (ownerships, memberships): ([Ownership], [String]) = ([], [])
        for rule in rules where policy.reaches(rule.role, at: rank) {
            if rule.grantsEveryRow { return }
            if let owner = rule.owner { ownerships.append(owner) }
            if let member = rule.member { memberships.append(member.membership) }
        }
        self.ownerships += ownerships
        self.memberships.formUnion(memberships)
    }
}

/// A class of receivers that see the same.
public struct View: Hashable, Sendable {
    /// The index of the role in ``Policy/roles``.
    public var rank: Int
    /// The user, where ownership decides what this rank sees.
    public var owner: Owner?
    /// What the user belongs to, where that decides it; nil also without a user.
    public var memberships: Memberships?

    public init(rank: Int, owner: Owner?, memberships: Memberships? = nil) {
        self.rank = rank
        self.owner = owner
        self.memberships = memberships
    }

    /// Whether everything that the other view sees is seen by this one, too, whatever the rules are: each rule asks for
    /// the least role, for the row's owner, or for a membership.
    public func sees(allThat other: View) -> Bool {
        guard rank >= other.rank else { return false }
        if let teams = other.memberships, !teams.isEmpty {
            guard let own = memberships, own.containsAll(of: teams) else { return false }
        }
        guard let holder = other.owner else { return true }
        return owner?.id == holder.id && (holder.email == nil || owner?.email == holder.email)
    }

    fileprivate func reduced(to distinctions: Distinctions) -> View {
        View(
            rank: rank, owner: owner.flatMap { $0.reduced(to: distinctions.ownerships) },
            memberships: distinctions.memberships.isEmpty
                ? nil : memberships.map { $0.reduced(to: distinctions.memberships) })
    }
}

/// The rules of one model.
public struct ModelPolicy: Hashable, Sendable {
    public var read: [Rule]
    public var create: [Rule]
    public var update: [Rule]
    public var remove: [Rule]
    /// Who sees a column; one that is not named here is seen with its row. Without the key no row is seen: a client could
    /// neither tell it from others nor know when it is gone.
    public var fields: [String: ColumnAccess]
    /// Who writes a column, beyond what writing its row requires. No user writes a column that they do not see.
    public var writing: [String: ColumnAccess]
    /// Columns that the server fills in when a row is made; no user writes them.
    public var stamps: [String: Stamp]
    /// Where the model's table says who belongs where.
    public var authorities: [AuthorityColumns]

    public init(
        read: [Rule], create: [Rule] = [], update: [Rule] = [], remove: [Rule] = [],
        fields: [String: ColumnAccess] = [:],
        writing: [String: ColumnAccess] = [:], stamps: [String: Stamp] = [:], authorities: [AuthorityColumns] = []
    ) {
        self.read = read
        self.create = create
        self.update = update
        self.remove = remove
        self.fields = fields
        self.writing = writing
        self.stamps = stamps
        self.authorities = authorities
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
    /// What the user has to belong to. It grants nothing to those who are not signed in.
    public var member: MemberCondition?
    /// Of a rule that grants writing: whether it reaches the columns that say who belongs where.
    public var hasAuthority: Bool

    public init(
        role: String? = nil, when: [String: Value] = [:], owner: Ownership? = nil, member: MemberCondition? = nil,
        hasAuthority: Bool = false
    ) {
        self.role = role
        self.when = when
        self.owner = owner
        self.member = member
        self.hasAuthority = hasAuthority
    }

    /// Whether it asks for nothing but a role.
    var grantsEveryRow: Bool { when.isEmpty && owner == nil && member == nil }
}

/// Who may see or write a column of the rows that they may see or write: one rule that grants is enough.
public struct ColumnAccess: Hashable, Sendable {
    public var rules: [Rule]

    public init(rules: [Rule]) { self.rules = rules }

    /// - Parameter role: the least role; a role that is not in the list grants nothing.
    public init(role: String) { rules = [Rule(role: role)] }
}

extension ColumnAccess: ExpressibleByStringLiteral {
    public init(stringLiteral role: String) { self.init(role: role) }
}

/// The columns of a model's table that say who belongs where: writing them gives and takes rights.
public struct AuthorityColumns: Hashable, Sendable {
    public var membership: String
    /// The column that names the user.
    public var user: String
    /// The column that names what the user belongs to.
    public var of: String
    /// The column with the user's role there.
    public var role: String?

    public init(membership: String, user: String, of: String, role: String?) {
        self.membership = membership
        self.user = user
        self.of = of
        self.role = role
    }

    var columns: [String] { [user, of] + (role.map { [$0] } ?? []) }

    /// The membership that a row of the table gives to its user; nil where the row names nothing to belong to.
    func membership(in row: Row) -> Membership? {
        guard let value = row[of], value != .null else { return nil }
        return Membership(name: membership, value: value, roles: Membership.roles(in: role.flatMap { row[$0] }))
    }
}

extension Membership {
    /// The roles that a column says, each row one.
    public static func roles(in value: Value?) -> Set<String> {
        switch value {
        case .text(let text): [text]
        case .integer(let number): [String(number)]
        case .null, .real, .blob, .boolean, nil: []
        }
    }
}
