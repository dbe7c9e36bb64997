import WireJSON

/// A user belongs to something: a team, a project.
public struct Membership: Hashable, Sendable {
    /// The membership's name in the configuration.
    public var name: String
    /// The team or project that the user belongs to; never NULL.
    public var value: Value
    /// The user's roles in it, in the membership's own words.
    public var roles: Set<String>

    public init(name: String, value: Value, roles: Set<String> = []) {
        self.name = name
        self.value = value
        self.roles = roles
    }
}

/// All that a user belongs to, as a set: rows that say the same twice change nothing, and roles in one team unite.
///
/// Values are compared as rules compare them (``Value/isSame(as:)``). NULL and a real that is no number belong nowhere.
public struct Memberships: Sendable {
    private typealias Teams = [Value: Set<String>]

    /// Shared by all copies: views are compared and hashed with every change of an identity.
    private final class Storage: Sendable {
        let byName: [String: Teams]
        let hash: Int
        let count: Int

        init(_ byName: [String: Teams]) {
            self.byName = byName.filter { !$0.value.isEmpty }
            hash = self.byName.hashValue
            count = self.byName.values.reduce(0) { $0 + $1.count }
        }
    }

    private let storage: Storage

    public static let none = Memberships([])

    public init(_ memberships: some Sequence<Membership>) {
        var byName: [String: Teams] = [:]
        for membership in memberships {
            guard let value = membership.value.asMember else { continue }
            byName[membership.name, default: [:]][value, default: []].formUnion(membership.roles)
        }
        storage = Storage(byName)
    }

    private init(byName: [String: Teams]) { storage = Storage(byName) }

    public var isEmpty: Bool { storage.count == 0 }

    /// How many teams, projects and the like, over all names.
    public var count: Int { storage.count }

    /// The names of which there is at least one, sorted.
    public var names: [String] { storage.byName.keys.sorted() }

    /// The user's roles there, none of them perhaps; nil for one who does not belong there.
    public func roles(in value: Value, of name: String) -> Set<String>? {
        guard let teams = storage.byName[name], let value = value.asMember else { return nil }
        return teams[value]
    }

    /// Those of these names alone.
    public func reduced(to names: Set<String>) -> Memberships {
        guard !storage.byName.keys.allSatisfy(names.contains) else { return self }
        return Memberships(byName: storage.byName.filter { names.contains($0.key) })
    }

    /// Whether each membership of the other set is one of this set, with its roles.
    public func containsAll(of other: Memberships) -> Bool {
        if storage === other.storage { return true }
        return other.storage.byName.allSatisfy { name, teams in
            guard let own = storage.byName[name] else { return false }
            return teams.allSatisfy { value, roles in own[value]?.isSuperset(of: roles) ?? false }
        }
    }

    /// The names in which two sets differ.
    public func differences(from other: Memberships) -> Set<String> {
        guard self != other else { return [] }
        let names = Set(storage.byName.keys).union(other.storage.byName.keys)
        return names.filter { storage.byName[$0] != other.storage.byName[$0] }
    }

    /// The first ones by name and value, in an order that is the same wherever the set is the same.
    ///
    /// - Parameter limit: at most so many.
    public func sorted(limit: Int = .max) -> [Membership] {
        var list: [Membership] = []
        for name in names {
            guard list.count < limit else { break }
            let teams = (storage.byName[name] ?? [:]).map {
                (value: $0.key, text: $0.key.json.description, roles: $0.value)
            }
            for team in teams.sorted(by: { $0.value.precedesAsMember($1.value, $0.text, $1.text) }) {
                guard list.count < limit else { break }
                list.append(Membership(name: name, value: team.value, roles: team.roles))
            }
        }
        return list
    }
}

extension Memberships: Hashable {
    public static func == (left: Memberships, right: Memberships) -> Bool {
        left.storage === right.storage
            || left.storage.hash == right.storage.hash && left.storage.byName == right.storage.byName
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(storage.hash) }
}

extension Memberships: ExpressibleByArrayLiteral {
    public init(arrayLiteral memberships: Membership...) { self.init(memberships) }
}

extension Value {
    /// The one value that stands for all that are the same to a rule; nil for what belongs nowhere.
    fileprivate var asMember: Value? {
        switch self {
        case .null: nil
        case .boolean(let value): .integer(value ? 1 : 0)
        case .real(let value): value.isNaN ? nil : Int64(exactly: value).map(Value.integer) ?? self
        case .integer, .text, .blob: self
        }
    }

    /// Numbers by what they count, before all else by its text.
    fileprivate func precedesAsMember(_ other: Value, _ text: String, _ otherText: String) -> Bool {
        switch (self, other) {
        case (.integer(let left), .integer(let right)): left < right
        case (.integer, _): true
        case (_, .integer): false
        default: Array(text.utf8).lexicographicallyPrecedes(Array(otherText.utf8))
        }
    }
}
