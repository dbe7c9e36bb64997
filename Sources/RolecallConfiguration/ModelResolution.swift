import ModelStore

/// Finds the names of one model in its table.
struct ModelResolution {
    let entry: ModelEntry
    let table: DatabaseSchema.Table
    let nameComparison: DatabaseSchema.NameComparison
    /// The key's columns, by their names in the table.
    let key: [String]
    /// Columns that are declared secret, by their names in the table.
    let secrets: Set<String>
    let members: MembershipResolution
    var mistakes: Mistakes

    /// - Returns: nil, with a mistake, where there is no table that could be the model.
    static func resolve(
        _ entry: ModelEntry, against schema: DatabaseSchema, members: MembershipResolution = MembershipResolution(),
        mistakes: inout Mistakes
    ) -> (declaration: ModelDeclaration, policy: ModelPolicy)? {
        guard !entry.isBroken, let table = table(of: entry, in: schema, mistakes: &mistakes),
            let key = key(of: entry, in: table, comparing: schema.nameComparison, mistakes: &mistakes)
        else { return nil }
        let secrets = entry.fields.filter { $0.secret?.value == true }.compactMap {
            table.column($0.column.value, comparing: schema.nameComparison)?.name
        }
        var resolution = ModelResolution(
            entry: entry, table: table, nameComparison: schema.nameComparison, key: key, secrets: Set(secrets),
            members: members, mistakes: mistakes)
        var policy = resolution.policy()
        policy.authorities = members.authorities(of: table, in: schema) { key == [$0] ? Model.keyName : $0 }
        resolution.checkAuthority(&policy)
        mistakes = resolution.mistakes
        let declaration = ModelDeclaration(
            name: entry.name, path: entry.servedPath, table: table.name, key: entry.key.isEmpty ? [] : key,
            secret: resolution.secrets)
        return (declaration, policy)
    }

    // MARK: The table and its key

    private static func table(
        of entry: ModelEntry, in schema: DatabaseSchema, mistakes: inout Mistakes
    ) -> DatabaseSchema.Table? {
        let name = entry.table?.value ?? entry.name
        let location = entry.table?.location ?? entry.location
        guard let table = schema.table(name) else {
            let names = schema.tables.filter { $0.obstacle == nil && !$0.isOwn }.map(\.name)
            let plural = schema.table(name + "s").flatMap { $0.isOwn ? nil : $0.name }
            let nearest = plural ?? Words.nearest(to: name, among: names)
            let advice =
                if let nearest {
                    entry.table == nil
                        ? "is \(Words.quoted(nearest)) meant? Then name it with table:"
                        : "is \(Words.quoted(nearest)) meant?"
                } else {
                    Words.suggestion(for: name, among: names, noun: "table of yours at all")
                }
            mistakes.report(
                location, "there is no table \(Words.quoted(name)) in \(Words.name(schema.name)); \(advice)")
            return nil
        }
        if table.isOwn {
            mistakes.report(
                location, "the table \(Words.name(name)) is Rolecall's own and can't be a model; name one of yours")
            return nil
        }
        if let obstacle = table.obstacle {
            mistakes.report(location, "\(Words.quoted(table.name)) \(obstacle)")
            return nil
        }
        return table
    }

    private static func key(
        of entry: ModelEntry, in table: DatabaseSchema.Table, comparing comparison: DatabaseSchema.NameComparison,
        mistakes: inout Mistakes
    ) -> [String]? {
        guard let key = declaredKey(of: entry, in: table, comparing: comparison, mistakes: &mistakes) else {
            return nil
        }
        for column in table.columns
        where comparison.areSame(column.name, Model.keyName) && key != [column.name] {
            mistakes.report(
                entry.keyLocation ?? entry.location,
                """
                the table \(Words.name(table.name)) has a column \(Words.quoted(column.name)) that is not its key, and \
                every row's key is told as \(Model.keyName); rename the column
                """)
            return nil
        }
        return key
    }

    private static func declaredKey(
        of entry: ModelEntry, in table: DatabaseSchema.Table, comparing comparison: DatabaseSchema.NameComparison,
        mistakes: inout Mistakes
    ) -> [String]? {
        let candidates = ([table.primaryKey] + table.otherKeys).filter { (1...8).contains($0.count) }
        let shown = candidates.map {
            $0.count == 1 ? Words.name($0[0]) : "[\($0.map(Words.name).joined(separator: ", "))]"
        }
        guard let location = entry.keyLocation else {
            if (1...8).contains(table.primaryKey.count) { return table.primaryKey }
            let problem =
                table.primaryKey.isEmpty
                ? "has no primary key" : "has a primary key of more than 8 columns, which is too many"
            let advice =
                shown.isEmpty
                ? "give the table one, or a unique index of columns that are NOT NULL"
                : "name its rows with key: \(Words.list(shown, "or"))"
            mistakes.report(
                entry.table?.location ?? entry.location, "the table \(Words.name(table.name)) \(problem); \(advice)")
            return nil
        }
        var key: [String] = []
        for column in entry.key {
            guard let found = table.column(column.value, comparing: comparison) else {
                mistakes.report(column.location, missing(column.value, of: entry.name, in: table))
                return nil
            }
            key.append(found.name)
        }
        guard candidates.contains(where: { Set($0) == Set(key) }) else {
            let advice =
                shown.isEmpty
                ? "give the table a primary key, or a unique index of columns that are NOT NULL"
                : "\(Words.list(shown, "or")) can"
            mistakes.report(
                location,
                """
                \(Words.list(key.map(Words.name))) can't name the rows of \(Words.name(table.name)): they must be its \
                primary key, or unique and NOT NULL; \(advice)
                """)
            return nil
        }
        return key
    }

    static func missing(
        _ name: String, of model: String, in table: DatabaseSchema.Table
    ) -> String {
        let names = table.columns.map(\.name)
        return
            "\(model) has no column \(Words.quoted(name)); \(Words.suggestion(for: name, among: names, noun: "other"))"
    }

    // MARK: Columns

    /// A column that the file names; the key may be called `_id`, as on the wire.
    mutating func column(_ name: Located<String>) -> DatabaseSchema.Column? {
        if let column = table.column(name.value, comparing: nameComparison) { return column }
        if name.value == Model.keyName {
            guard key.count > 1 else { return key.first.flatMap { table.column($0, comparing: nameComparison) } }
            mistakes.report(
                name.location,
                "the key of \(entry.name) has several columns; name them: \(Words.list(key.map(Words.name)))")
            return nil
        }
        mistakes.report(name.location, Self.missing(name.value, of: entry.name, in: table))
        return nil
    }

    /// What a column of the table is called in rows and rules.
    func told(_ column: DatabaseSchema.Column) -> String {
        key == [column.name] ? Model.keyName : column.name
    }

    func isKey(_ column: DatabaseSchema.Column) -> Bool {
        key.contains(column.name)
    }

    // MARK: The policy

    private mutating func policy() -> ModelPolicy {
        var policy = ModelPolicy(read: rules(entry.read))
        let write = rules(entry.write)
        policy.create = entry.create.map { rules($0) } ?? write
        policy.update = entry.update.map { rules($0) } ?? write
        policy.remove = entry.remove.map { rules($0) } ?? write
        resolveFields(&policy)
        // What was logged before a column was declared secret still holds it.
        for secret in secrets { policy.fields[secret] = ColumnAccess(role: BuiltInModels.nobody) }
        resolveStamps(&policy)
        return policy
    }

    private mutating func rules(_ list: RuleList?) -> [Rule] {
        var rules: [Rule] = []
        for entry in list?.rules ?? [] where !entry.isBroken {
            rules.append(contentsOf: self.rules(entry))
        }
        return rules
    }

    private mutating func resolveFields(_ policy: inout ModelPolicy) {
        var known: Set<String> = []
        for field in entry.fields {
            guard let column = column(field.column) else { continue }
            let name = Words.quoted(column.name)
            guard known.insert(column.name).inserted else {
                mistakes.report(field.column.location, "\(name) stands in fields already; keep one of them")
                continue
            }
            if isKey(column) {
                mistakes.report(
                    field.column.location,
                    "\(name) is of the key of \(entry.name): who sees a row sees its key; leave the field out")
                continue
            }
            if column.isGenerated, let write = field.write {
                mistakes.report(
                    write.rules.first?.location ?? write.location,
                    "\(name) is computed by the table and never written; leave write out")
            }
            if let read = field.read { policy.fields[column.name] = ColumnAccess(rules: rules(read)) }
            if let write = field.write { policy.writing[column.name] = ColumnAccess(rules: rules(write)) }
        }
    }

    private mutating func resolveStamps(_ policy: inout ModelPolicy) {
        for stamp in entry.stamps {
            guard let column = column(stamp.column) else { continue }
            if let problem = problem(of: stamp.stamp.value, in: column) {
                mistakes.report(stamp.column.location, "\(Words.quoted(column.name)) \(problem)")
            } else if policy.stamps.updateValue(stamp.stamp.value, forKey: column.name) != nil {
                mistakes.report(
                    stamp.column.location, "\(Words.quoted(column.name)) stands in stamps already; keep one of them")
            }
        }
    }

    private func problem(of stamp: Stamp, in column: DatabaseSchema.Column) -> String? {
        if isKey(column) { return "is of the key, which the server does not fill in; stamp another column" }
        if column.isGenerated { return "is computed by the table and never written; stamp another column" }
        if secrets.contains(column.name) { return "is secret and never written; stamp another column" }
        if stamp == .authorID, let other = UserColumn.stranger(column, in: table) {
            return """
                refers to \(Words.name(other)), and the number of a user of Rolecall's own would be written there, which means \
                another one to that table; stamp a column that refers to nothing
                """
        }
        switch (stamp, column.kind) {
        case (_, .boolean), (_, .blob), (.authorName, .real), (.authorName, .integer), (.now, .real), (.now, .integer):
            let value =
                switch stamp {
                case .authorID: "a user's number"
                case .authorName: "a user's name"
                case .now: "a moment like 2026-11-22T13:45:01.123Z"
                }
            return "is declared \(Words.name(column.declaredType)), which is nothing for \(value); stamp another column"
        default: return nil
        }
    }
}
