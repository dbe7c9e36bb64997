import ModelStore

/// Finds the names of memberships in their tables.
struct MembershipResolution {
    /// What rules have to know of a membership.
    struct Resolved {
        /// The columns that name what users belong to.
        var of: [DatabaseSchema.Column]
        /// Whether users have roles there.
        var hasRoles: Bool
        /// Something of it is a mistake already: rules that name it are not judged.
        var isBroken: Bool
    }

    private(set) var sources: [MembershipSource] = []
    private(set) var resolved: [String: Resolved] = [:]

    static func resolve(
        _ entries: [MembershipEntry], against schema: DatabaseSchema, mistakes: inout Mistakes
    ) -> MembershipResolution {
        var resolution = MembershipResolution()
        for entry in entries {
            var resolved = Resolved(of: [], hasRoles: false, isBroken: entry.isBroken)
            for source in entry.sources {
                guard let found = resolution.source(source, of: entry.name, in: schema, mistakes: &mistakes) else {
                    resolved.isBroken = true
                    continue
                }
                resolved.of.append(found.of)
                resolved.hasRoles = resolved.hasRoles || found.source.role != nil
                if resolution.sources.contains(found.source) {
                    mistakes.report(source.location, "\(entry.name) has this table already; keep one of them")
                }
                resolution.sources.append(found.source)
            }
            resolution.resolved[entry.name] = resolved
        }
        return resolution
    }

    /// Where a model's table says who belongs where, as rules name its columns.
    ///
    /// - Parameter told: what a column of the table is called in rows.
    func authorities(
        of table: DatabaseSchema.Table, in schema: DatabaseSchema, told: (String) -> String
    ) -> [AuthorityColumns] {
        sources.filter { schema.nameComparison.areSame($0.table, table.name) }.map { source in
            AuthorityColumns(
                membership: source.membership, user: told(source.user.column), of: told(source.of),
                role: source.role.map(told))
        }
    }

    // MARK: Parts

    private func source(
        _ entry: MembershipSourceEntry, of membership: String, in schema: DatabaseSchema, mistakes: inout Mistakes
    ) -> (source: MembershipSource, of: DatabaseSchema.Column)? {
        guard let table = table(entry.table, in: schema, mistakes: &mistakes) else { return nil }
        func column(_ name: Located<String>) -> DatabaseSchema.Column? {
            if let column = table.column(name.value, comparing: schema.nameComparison) { return column }
            mistakes.report(name.location, ModelResolution.missing(name.value, of: table.name, in: table))
            return nil
        }
        let user = column(Located(entry.user.value.column, entry.user.location))
        let of = column(entry.of)
        let role = entry.role.map { (name: $0, column: column($0)) }
        guard let user, let of, role.map({ $0.column != nil }) ?? true else { return nil }
        if let problem = UserColumn.problem(of: user, in: table, holding: entry.user.value.name, word: "user:") {
            mistakes.report(entry.user.location, problem)
            return nil
        }
        if let role, let column = role.column, column.kind != .text, column.kind != .integer, column.kind != .any {
            mistakes.report(
                role.name.location,
                """
                \(Words.quoted(column.name)) is declared \(Words.name(column.declaredType)) and holds no role; name the \
                column that says what the user is there, or leave role out
                """)
            return nil
        }
        let source = MembershipSource(
            membership: membership, table: table.name,
            user: Ownership(column: user.name, name: entry.user.value.name), of: of.name, role: role?.column?.name)
        return (source, of)
    }

    private func table(
        _ name: Located<String>, in schema: DatabaseSchema, mistakes: inout Mistakes
    ) -> DatabaseSchema.Table? {
        guard let table = schema.table(name.value) else {
            let names = schema.tables.filter { $0.obstacle == nil && !$0.isOwn }.map(\.name)
            mistakes.report(
                name.location,
                """
                there is no table \(Words.quoted(name.value)) in \(Words.name(schema.name)); \
                \(Words.suggestion(for: name.value, among: names, noun: "table of yours at all"))
                """)
            return nil
        }
        guard !table.isOwn else {
            mistakes.report(
                name.location,
                "the table \(Words.name(name.value)) is Rolecall's own and says of nobody where he belongs; name one of yours"
            )
            return nil
        }
        if let obstacle = table.obstacle {
            mistakes.report(name.location, "\(Words.quoted(table.name)) \(obstacle)")
            return nil
        }
        return table
    }
}

/// Columns that name users: of owners, of members, of stamps.
enum UserColumn {
    /// Why a column names no user of Rolecall's; nil where it may.
    ///
    /// - Parameter word: what stands before the column in the file: `owner:`.
    static func problem(
        of column: DatabaseSchema.Column, in table: DatabaseSchema.Table, holding name: Ownership.Name, word: String
    ) -> String? {
        let shown = Words.quoted(column.name)
        let declared = "\(shown) is declared \(Words.name(column.declaredType))"
        switch (name, column.kind) {
        case (_, .boolean), (_, .blob):
            let held = name == .id ? "user's number" : "e-mail address"
            return """
                \(declared) and holds no \(held), so the rule never grants; name the column that says whose row it is
                """
        case (.id, .text):
            return """
                \(declared) and holds no user's number, so the rule never grants; where it holds an e-mail address, \
                write \(word) {email: \(Words.name(column.name))}
                """
        case (.email, .integer), (.email, .real):
            return """
                \(declared) and holds no e-mail address, so the rule never grants; where it holds a user's number, \
                write \(word) \(Words.name(column.name))
                """
        default: break
        }
        guard name == .id, let other = stranger(column, in: table) else { return nil }
        return """
            \(shown) refers to \(Words.name(other)), and here it would be compared with the numbers of Rolecall's own users, \
            who are others; name a column with the user's e-mail address, like \(word) {email: email}
            """
    }

    /// The table of other users that a column refers to; nil where it may refer to Rolecall's.
    static func stranger(_ column: DatabaseSchema.Column, in table: DatabaseSchema.Table) -> String? {
        table.references[column.name].flatMap { $0.asciiLowercased == "rolecall_user" ? nil : $0 }
    }
}
