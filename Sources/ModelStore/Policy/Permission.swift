/// The author of a write, as the rules see one.
public struct Writer: Hashable, Sendable {
    public var user: Owner
    public var role: String
    public var memberships: Memberships

    public init(user: Owner, role: String, memberships: Memberships = .none) {
        self.user = user
        self.role = role
        self.memberships = memberships
    }
}

extension Policy {
    /// Whether some rule could let this writer create a row of the model at all.
    public func mayCreate(_ model: String, as writer: Writer?) -> Bool {
        reaches(models[model]?.create ?? [], as: writer)
    }

    /// Whether some rule could let this writer change a row of the model at all.
    public func mayUpdate(_ model: String, as writer: Writer?) -> Bool {
        reaches(models[model]?.update ?? [], as: writer)
    }

    /// Whether some rule could let this writer remove a row of the model at all.
    public func mayRemove(_ model: String, as writer: Writer?) -> Bool {
        reaches(models[model]?.remove ?? [], as: writer)
    }

    /// Whether a row may be created as it stands, its stamps included.
    public func mayCreate(_ row: Row, of model: String, as writer: Writer?) -> Bool {
        guard let writer, let rules = models[model] else { return false }
        let view = view(of: writer)
        return rules.create.contains { rule in
            grants(rule, row: row, to: view)
                && mayWriteAuthority(by: rule, from: nil, to: row, under: rules, as: writer)
        }
    }

    /// The rules must grant the writer both the row before and the row after: no writer moves a row out of their own
    /// reach, or a row of another user into it.
    public func mayUpdate(_ before: Row, to after: Row, of model: String, as writer: Writer?) -> Bool {
        guard let writer, let rules = models[model] else { return false }
        let view = view(of: writer)
        func grants(_ row: Row) -> Bool {
            rules.update.contains { rule in
                self.grants(rule, row: row, to: view)
                    && mayWriteAuthority(by: rule, from: before, to: after, under: rules, as: writer)
            }
        }
        return grants(before) && grants(after)
    }

    public func mayRemove(_ row: Row, of model: String, as writer: Writer?) -> Bool {
        guard let writer, let rules = models[model] else { return false }
        let view = view(of: writer)
        return rules.remove.contains { rule in
            grants(rule, row: row, to: view)
                && mayWriteAuthority(by: rule, from: row, to: nil, under: rules, as: writer)
        }
    }

    /// Whether there are rows in which the writer may touch a column: it must be one that the writer sees, none that is
    /// for others to write, and none that the server fills in.
    public func mayWrite(column: String, of model: String, as writer: Writer) -> Bool {
        guard let rules = models[model], rules.stamps[column] == nil else { return false }
        let view = view(of: writer)
        guard mayShow(column, under: rules, to: view) else { return false }
        return rules.writing[column].map { $0.rules.contains { reaches($0, for: view) } } ?? true
    }

    /// Whether the writer may touch these columns of a row. Those that are asked for have passed
    /// ``mayWrite(column:of:as:)``.
    public func mayWrite(columns: some Sequence<String>, in row: Row, of model: String, as writer: Writer) -> Bool {
        guard let rules = models[model] else { return false }
        guard !rules.fields.isEmpty || !rules.writing.isEmpty else { return true }
        let view = view(of: writer)
        return columns.allSatisfy { column in
            shows(column, of: row, under: rules, to: view)
                && (rules.writing[column].map { $0.rules.contains { grants($0, row: row, to: view) } } ?? true)
        }
    }

    /// Whether a rule reaches what a write changes of who belongs where. A writer whose right depends on the row (as its
    /// owner, or as a member) gives no role that is not the writer's own there.
    private func mayWriteAuthority(
        by rule: Rule, from before: Row?, to after: Row?, under rules: ModelPolicy, as writer: Writer
    ) -> Bool {
        rules.authorities.allSatisfy { authority in
            let isTouched =
                before == nil || after == nil || authority.columns.contains { before?[$0] != after?[$0] }
            guard isTouched else { return true }
            guard rule.hasAuthority else { return false }
            guard rule.owner != nil || rule.member != nil, let given = after.flatMap(authority.membership) else {
                return true
            }
            guard let held = writer.memberships.roles(in: given.value, of: given.name) else { return false }
            return held.isSuperset(of: given.roles)
        }
    }

    /// The writer with all that rules may ask for.
    private func view(of writer: Writer) -> View {
        View(rank: rank(of: writer.role), owner: writer.user, memberships: writer.memberships)
    }

    private func reaches(_ rules: [Rule], as writer: Writer?) -> Bool {
        guard let writer else { return false }
        let view = view(of: writer)
        return rules.contains { reaches($0, for: view) }
    }
}
