/// The author of a write, as the rules see one.
public struct Writer: Hashable, Sendable {
    public var user: Owner
    public var role: String

    public init(user: Owner, role: String) {
        self.user = user
        self.role = role
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
        grants(models[model]?.create ?? [], row: row, to: writer)
    }

    /// The rules must grant the writer both the row before and the row after: no writer moves a row out of their own
    /// reach, or a row of another user into it.
    public func mayUpdate(_ before: Row, to after: Row, of model: String, as writer: Writer?) -> Bool {
        let rules = models[model]?.update ?? []
        return grants(rules, row: before, to: writer) && grants(rules, row: after, to: writer)
    }

    public func mayRemove(_ row: Row, of model: String, as writer: Writer?) -> Bool {
        grants(models[model]?.remove ?? [], row: row, to: writer)
    }

    /// Whether the writer may touch a column: it must be one that the writer sees, none that requires a higher role
    /// to be written, and none that the server fills in.
    public func mayWrite(column: String, of model: String, as writer: Writer) -> Bool {
        guard let rules = models[model], rules.stamps[column] == nil else { return false }
        let rank = rank(of: writer.role)
        return shows(column, under: rules, at: rank) && reaches(rules.writing[column], at: rank)
    }

    private func reaches(_ rules: [Rule], as writer: Writer?) -> Bool {
        guard let writer else { return false }
        let rank = rank(of: writer.role)
        return rules.contains { reaches($0.role, at: rank) }
    }

    private func grants(_ rules: [Rule], row: Row, to writer: Writer?) -> Bool {
        guard let writer else { return false }
        let rank = rank(of: writer.role)
        return rules.contains { grants($0, row: row, rank: rank, user: writer.user) }
    }
}
