import RolecallProtocol

/// Who is on, as far as this user is told: everybody's presence, and for those who may know each socket.
struct People: Hashable, Sendable {
    /// What can be selected.
    enum Item: Hashable, Sendable {
        /// - Parameter Int64: nil stands for all sockets that belong to nobody.
        case person(Int64?)
        case socket(String)
    }

    struct Person: Hashable, Sendable {
        /// Nil for nobody.
        var id: Int64?
        var name: String
        /// Nil where it is not told.
        var role: String?
        /// Nil where it is not told.
        var email: String?
        var sockets: Int
    }

    enum Row: Hashable, Sendable {
        case person(Person)
        case socket(SocketRecord)

        var item: Item {
            switch self {
            case .person(let person): .person(person.id)
            case .socket(let socket): .socket(socket.id)
            }
        }
    }

    /// How long the roll of those who are on may take to arrive: it is sent at once.
    private static let rollTime = Duration.seconds(2)

    /// The most people that are kept; a server that tells of more is not believed.
    static let limit = 20_000

    /// By user id, as the server told last.
    private(set) var present: [Int64: Person] = [:]
    private(set) var sockets = Listing<SocketRecord>()
    /// The sockets under their people; nil where sockets are not told.
    private var socketRows: [Row]?
    /// Until when what is told is of those who were on already, in uptime; nil before anything was told.
    private var rollEnds: Duration?
    /// Who was on when the connection was lost; nil where that is not known.
    private var before: Set<Int64>?
    var selected: Item?
    /// The first row in sight.
    var top = 0

    /// Somebody else looks, or the connection is another one: everything will be told again.
    mutating func forget() {
        present = [:]
        rollEnds = nil
        before = nil
        forgetSockets()
    }

    /// The next connection will be told anew.
    mutating func forgetPresence() {
        if rollEnds != nil { before = Set(present.keys) }
        present = [:]
        rollEnds = nil
    }

    /// The sockets may be no more for these eyes.
    mutating func forgetSockets() {
        sockets = Listing()
        socketRows = nil
    }

    /// - Returns: whether somebody has come on, or is on with another role. Whoever comes is told of everyone who is on;
    ///   these were there before.
    @discardableResult
    mutating func received(_ presence: Presence, at uptime: Duration) -> Bool {
        let known = present[presence.userID]
        let ends = rollEnds ?? uptime + Self.rollTime
        rollEnds = ends
        let isArrival =
            if let known { known.role != presence.role } else if uptime < ends {
                before.map { !$0.contains(presence.userID) } ?? false
            } else { true }
        if !presence.isOn {
            present[presence.userID] = nil
        } else if present.count < Self.limit || present[presence.userID] != nil {
            present[presence.userID] = Person(
                id: presence.userID, name: presence.name, role: presence.role, email: nil, sockets: presence.sockets)
        }
        areOutdated(at: uptime)
        return presence.isOn && isArrival
    }

    /// What is shown of their sockets is known to have changed.
    mutating func areOutdated(at uptime: Duration) { sockets.isOutdated(at: uptime) }

    mutating func load() -> Bool { sockets.load() }
    mutating func loadIfDue(at uptime: Duration) -> Bool { sockets.loadIfDue(at: uptime) }

    mutating func loaded(_ sockets: [SocketRecord], at uptime: Duration) {
        self.sockets.loaded(sockets, at: uptime)
        socketRows = Self.rows(of: sockets)
    }

    mutating func failed(_ reason: String, isDenied: Bool, at uptime: Duration) {
        sockets.failed(reason, isDenied: isDenied, at: uptime)
        if isDenied { socketRows = nil }
    }

    /// Whether ``rows`` tells of sockets.
    var showsSockets: Bool { socketRows != nil }

    /// From the top to the bottom of the page.
    var rows: [Row] {
        if let socketRows { return socketRows }
        return Self.sorted(Array(present.values)).map(Row.person)
    }

    /// The place of the selected row; of the first where it is gone, nil where there is none.
    func selectedIndex(in rows: [Row]) -> Int? {
        guard !rows.isEmpty else { return nil }
        return rows.firstIndex { $0.item == selected } ?? 0
    }

    private static func rows(of sockets: [SocketRecord]) -> [Row] {
        let byUser = Dictionary(grouping: sockets) { $0.user?.id }
        let people = byUser.map { id, sockets in
            // Of records that were read one after the other the last is the newest.
            let user = sockets.last?.user
            return Person(
                id: id, name: user?.name ?? "", role: user?.role, email: user?.email, sockets: sockets.count)
        }
        return sorted(people).flatMap { person in
            let own = (byUser[person.id] ?? []).sorted { left, right in
                (left.connectedAt?.milliseconds ?? 0, left.id) < (right.connectedAt?.milliseconds ?? 0, right.id)
            }
            return [Row.person(person)] + own.map(Row.socket)
        }
    }

    /// By name; those who are nobody stand last.
    private static func sorted(_ people: [Person]) -> [Person] {
        people.map { ($0.id == nil ? 1 : 0, $0.name.lowercased(), $0.id ?? 0, $0) }
            .sorted { ($0.0, $0.1, $0.2) < ($1.0, $1.1, $1.2) }
            .map(\.3)
    }
}
