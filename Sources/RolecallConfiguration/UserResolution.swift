import ModelStore

/// What a configuration may say of Rolecall's own users: who reads them, and which of their columns.
enum UserResolution {
    static func policy(
        _ entry: ModelEntry, over users: ModelPolicy, comparing comparison: DatabaseSchema.NameComparison,
        mistakes: inout Mistakes
    ) -> ModelPolicy {
        var policy = users
        let table = DatabaseSchema.Table(
            name: "rolecall_user", isOwn: true, columns: BuiltInModels.userColumns, primaryKey: [Model.keyName])
        var resolution = ModelResolution(
            entry: entry, table: table, nameComparison: comparison, key: [Model.keyName], secrets: [],
            mistakes: mistakes)
        if let read = entry.read {
            policy.read = read.rules.filter { !$0.isBroken }.flatMap { resolution.rules($0) }
        }
        for field in entry.fields {
            guard let column = resolution.column(field.column) else { continue }
            if column.name == Model.keyName {
                resolution.mistakes.report(
                    field.column.location, "who sees a user sees his _id; leave the field out")
            } else if let other = field.write ?? field.secret.map({ Located("", $0.location) }) {
                resolution.mistakes.report(
                    other.location,
                    "of a user's fields only {read: role} can be said: accounts have routes of their own")
            } else if let read = field.read {
                policy.fields[column.name] = read.value
            }
        }
        mistakes = resolution.mistakes
        return policy
    }
}
