import ModelStore

/// What a configuration may say of Rolecall's own users: who reads them, and which of their columns.
enum UserResolution {
    static func policy(
        _ entry: ModelEntry, over users: ModelPolicy, comparing comparison: DatabaseSchema.NameComparison,
        members: MembershipResolution, mistakes: inout Mistakes
    ) -> ModelPolicy {
        var policy = users
        let table = DatabaseSchema.Table(
            name: "rolecall_user", isOwn: true, columns: BuiltInModels.userColumns, primaryKey: [Model.keyName])
        var resolution = ModelResolution(
            entry: entry, table: table, nameComparison: comparison, key: [Model.keyName], secrets: [],
            members: members, mistakes: mistakes)
        if let read = entry.read {
            policy.read = read.rules.filter { !$0.isBroken }.flatMap { resolution.rules($0) }
        }
        for field in entry.fields {
            guard let column = resolution.column(field.column) else { continue }
            if column.name == Model.keyName {
                resolution.mistakes.report(
                    field.column.location, "who sees a user sees his _id; leave the field out")
            } else if let other = field.write?.location ?? field.secret?.location ?? field.read?.beyondRole {
                resolution.mistakes.report(
                    other,
                    "of a user's fields only {read: role} can be said: accounts have routes of their own")
            } else if let read = field.read {
                policy.fields[column.name] = ColumnAccess(rules: read.rules.flatMap { resolution.rules($0) })
            }
        }
        mistakes = resolution.mistakes
        return policy
    }
}

extension RuleList {
    /// Where it asks for more than a role; nil where it does not.
    fileprivate var beyondRole: Location? {
        rules.count > 1
            ? location : rules.first { !$0.when.isEmpty || $0.owner != nil || $0.member != nil }.map(\.location)
    }
}
