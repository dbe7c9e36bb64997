import ModelStore

/// Reads the nodes of a configuration file into entries. What can be told wrong without a database is told here.
struct FileReader {
    var nodes: NodeReader
    let settingNames: Set<String>
    var settings: [Setting] = []
    var roles = BuiltInModels.roles
    var memberships: [MembershipEntry] = []
    var models: [ModelEntry] = []
    var rooms: [Room]?
    var retention: Retention?

    init(file: String, settings: Set<String>) {
        nodes = NodeReader(mistakes: Mistakes(file: file))
        settingNames = settings
    }

    private static let sections = ["roles", "memberships", "models", "rooms", "retention"]

    mutating func read(_ text: String) {
        guard let root = YAMLReader.read(text, into: &nodes.mistakes), !root.isNothing,
            let entries = nodes.entries(root, "a configuration", takes: "names with their values, like port: 9000")
        else { return }
        // Roles first, wherever they stand: everything else refers to them; then memberships, which rules refer to.
        for entry in entries where entry.key == "roles" { readRoles(entry.value) }
        for entry in entries where entry.key == "memberships" { readMemberships(entry.value) }
        for entry in entries {
            switch entry.key {
            case "roles", "memberships": break
            case "models": readModels(entry.value)
            case "rooms": readRooms(entry.value)
            case "retention": readRetention(entry.value)
            case _ where settingNames.contains(entry.key): readSetting(entry)
            default: nodes.unknown(entry, in: "a configuration", among: Self.sections + settingNames.sorted())
            }
        }
    }

    mutating func report(_ location: Location, _ sentence: String) {
        nodes.mistakes.report(location, sentence)
    }

    private mutating func readSetting(_ entry: YAMLEntry) {
        if let values = nodes.texts(entry.value, entry.key, takes: "a value, or a list of values") {
            settings.append(Setting(name: entry.key, values: values.map(\.value), location: entry.value.location))
        }
    }

    // MARK: Roles

    /// The word in place of rules that asks for no role.
    static let everyone = "everyone"

    private mutating func readRoles(_ node: YAMLNode) {
        guard let elements = nodes.list(node, "roles", takes: "a list from the lowest to the highest") else { return }
        var names: [String] = []
        for element in elements {
            guard let role = nodes.text(element, "roles", takes: "names of roles") else { continue }
            if let first = names.first(where: { $0 == role.value }) {
                report(role.location, "the role \(Words.quoted(first)) stands in roles already; keep one of them")
            } else if role.value == Self.everyone || role.value == BuiltInModels.nobody {
                report(role.location, "no role can be called \(role.value): that word stands for all or for none")
            } else if !Self.isName(role.value, allowsLetters: true) {
                report(
                    role.location,
                    "\(Words.quoted(role.value)) can't be a role: a name has letters, digits, _ and -, 64 at most")
            } else {
                names.append(role.value)
            }
        }
        guard names.count == elements.count else {
            // What was misspelt can't be told from what is missing, so rules are looked up in what can be read.
            if !names.isEmpty { roles = names }
            return
        }
        guard (2...100).contains(names.count) else {
            report(
                node.location,
                names.count > 100
                    ? "there are \(names.count) roles; 100 are the most"
                    : "roles takes at least two: that of those who are not signed in, and that of those who are"
            )
            return
        }
        roles = names
    }

    /// A role of the list; nil, with a mistake, for any other.
    mutating func role(_ node: YAMLNode, _ subject: String) -> Located<String>? {
        guard let role = nodes.text(node, subject, takes: "a role") else { return nil }
        guard roles.contains(role.value) else {
            report(
                role.location,
                """
                there is no role \(Words.quoted(role.value)); \
                \(Words.suggestion(for: role.value, among: roles, noun: "role"))
                """)
            return nil
        }
        return role
    }

    func rank(of role: String?) -> Int {
        role.flatMap { roles.firstIndex(of: $0) } ?? 0
    }

    /// Whether a text can be a name in events and paths.
    static func isName(_ text: String, allowsLetters: Bool = false) -> Bool {
        (1...64).contains(text.unicodeScalars.count)
            && text.unicodeScalars.allSatisfy { scalar in
                scalar == "_" || scalar == "-" || ("0"..."9").contains(scalar)
                    || (allowsLetters || scalar.isASCII) && scalar.properties.isAlphabetic
            }
    }
}
