extension FileReader {
    mutating func readRooms(_ node: YAMLNode) {
        guard let entries = nodes.entries(node, "rooms", takes: "names with roles, like lobby: user") else { return }
        rooms = entries.compactMap { room($0) }
    }

    private mutating func room(_ entry: YAMLEntry) -> Room? {
        let subject = "the room \(Words.quoted(entry.key))"
        guard !entry.key.isEmpty, entry.key.unicodeScalars.count <= 100 else {
            report(entry.location, "a room's name has 1 to 100 characters")
            return nil
        }
        guard !entry.key.unicodeScalars.contains(where: "*?{}".unicodeScalars.contains) else {
            report(
                entry.location,
                "\(subject) looks like a pattern, and each room is named by itself; leave out *, ?, { and }")
            return nil
        }
        guard case .map(let roles) = entry.value.content else {
            guard case .scalar = entry.value.content, !entry.value.isNothing else {
                return nodes.refuse(entry.value, subject, takes: "a role, or {read: role, write: role}")
            }
            return role(entry.value, subject).map { Room(name: entry.key, read: $0.value, write: $0.value) }
        }
        var read: Located<String>?
        var write: Located<String>?
        var isWhole = true
        for entry in roles {
            switch entry.key {
            case "read":
                read = role(entry.value, subject)
                isWhole = isWhole && read != nil
            case "write":
                write = role(entry.value, subject)
                isWhole = isWhole && write != nil
            default:
                nodes.unknown(entry, in: subject, among: ["read", "write"])
                isWhole = false
            }
        }
        guard isWhole else { return nil }
        guard let least = read ?? write else {
            report(entry.value.location, "\(subject) names no role; write {read: role, write: role}")
            return nil
        }
        let writer = write ?? least
        // Only who is signed in writes, so the lowest role asks for no less than the next one.
        if max(rank(of: writer.value), 1) < rank(of: least.value) {
            report(
                writer.location,
                """
                \(subject) is read from \(least.value) on: nobody writes what he does not see; \
                write needs \(least.value) or a higher role
                """)
            return nil
        }
        return Room(name: entry.key, read: least.value, write: writer.value)
    }
}
