import RolecallProtocol

extension IdentityMemberships {
    /// What the user belongs to, as a list: `project 1 (owner), team 7`.
    var words: String {
        guard !entries.isEmpty else { return "nothing" }
        return entries.map(\.words).joined(separator: ", ") + (hasMore ? " and more" : "")
    }

    /// What has changed since, as a clause: `project 3 (owner) is new, project 1 has ended`; nil for nothing that is told.
    func change(since former: IdentityMemberships) -> String? {
        func find(_ entry: Entry, in list: [Entry]) -> Entry? {
            list.first { $0.name == entry.name && $0.of == entry.of }
        }
        let gained = entries.filter { find($0, in: former.entries) == nil }.map { "\($0.words) is new" }
        let changed = entries.filter { entry in find(entry, in: former.entries).map { $0.roles != entry.roles } ?? false
        }
        .map { "\($0.name) \($0.of.plainText) is now \($0.roles.isEmpty ? "without a role" : $0.rolesInWords)" }
        let lost = former.entries.filter { find($0, in: entries) == nil }.map { "\($0.words) has ended" }
        let changes = gained + changed + lost
        guard !changes.isEmpty else { return nil }
        let shown = changes.prefix(3).joined(separator: ", ")
        return changes.count > 3 ? "\(shown) and \(changes.count - 3) more" : shown
    }
}

extension IdentityMemberships.Entry {
    fileprivate var words: String {
        "\(name) \(of.plainText)\(roles.isEmpty ? "" : " (\(rolesInWords))")"
    }

    fileprivate var rolesInWords: String { roles.joined(separator: ", ") }
}
