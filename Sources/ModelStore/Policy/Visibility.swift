import RolecallProtocol

/// What is sent of one event to one view.
public enum Visibility: Hashable, Sendable {
    /// The row as the view may see it.
    case save(row: Row, operation: ModelOperation, changed: [String])
    /// The row is gone, or gone from this view.
    case remove(ModelOperation)
    case nothing
}

extension Policy {
    /// Decides, alone, what a view sees of an event. Pure and total: it depends on its arguments alone.
    ///
    /// - A row that the view may see after the change is saved; it counts as created where the view could not see
    ///   it before, so that nothing betrays its hidden past.
    /// - Else a row that it could see before is removed, or hidden where it still exists.
    /// - A change in which nothing visible differs is sent only if the row itself is the same, too: a save without a
    ///   change is a save; one of hidden fields would betray them.
    public func visibility(of event: ChangeRecord, to view: View) -> Visibility {
        guard let rules = models[event.model] else { return .nothing }
        let before = event.before.flatMap { visible($0, under: rules, to: view) }
        let after = event.after.flatMap { visible($0, under: rules, to: view) }
        switch (before, after) {
        case (nil, nil):
            return .nothing
        case (nil, .some(let after)):
            return .save(row: after, operation: .created, changed: [])
        case (.some, nil):
            return .remove(event.after == nil ? .removed : .hidden)
        case (.some(let before), .some(let after)):
            let changed = zip(after.columns, after.values).compactMap { column, value in
                before[column] == value ? nil : column
            }
            if changed.isEmpty, before.hasSameColumns(as: after), event.before != event.after { return .nothing }
            return .save(row: after, operation: .updated, changed: changed)
        }
    }

    /// A row as a view may see it; nil where it may not.
    public func visible(_ row: Row, of model: String, to view: View) -> Row? {
        models[model].flatMap { visible(row, under: $0, to: view) }
    }

    /// Whether a view may see a column of some rows of a model. Which rows these are is for each row to say.
    public func mayRead(column: String, of model: String, view: View) -> Bool {
        models[model].map { mayShow(column, under: $0, to: view) } ?? false
    }

    /// Whether a view may see the authors of changes: it must see every user, with key and name.
    public func showsAuthors(to view: View) -> Bool {
        guard let users = models[ModelName.user] else { return false }
        func showsAll(_ rules: [Rule]) -> Bool {
            rules.contains { $0.grantsEveryRow && reaches($0.role, at: view.rank) }
        }
        return [Model.keyName, "name"].allSatisfy { users.fields[$0].map { showsAll($0.rules) } ?? true }
            && showsAll(users.read)
    }

    /// The models of which a view may see something, by name, sorted.
    public func visibleModels(to view: View) -> [String] {
        models.filter { _, rules in
            mayShow(Model.keyName, under: rules, to: view) && rules.read.contains { reaches($0, for: view) }
        }.keys.sorted()
    }

    private func visible(_ row: Row, under rules: ModelPolicy, to view: View) -> Row? {
        guard shows(Model.keyName, of: row, under: rules, to: view),
            rules.read.contains(where: { grants($0, row: row, to: view) })
        else { return nil }
        if rules.fields.isEmpty { return row }
        return Row(row.fields.filter { shows($0.column, of: row, under: rules, to: view) })
    }

    func grants(_ rule: Rule, row: Row, to view: View) -> Bool {
        guard reaches(rule.role, at: view.rank) else { return false }
        if let owner = rule.owner {
            guard let user = view.owner, owner.holds(in: row, for: user) else { return false }
        }
        if let member = rule.member {
            guard let memberships = view.memberships, member.holds(in: row, for: memberships) else { return false }
        }
        return rule.when.allSatisfy { column, value in row[column]?.isSame(as: value) ?? false }
    }
}
