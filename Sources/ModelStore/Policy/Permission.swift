/// Who asks to write.
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

    /// Both the row that was and the row that would be must be the writer's to change: nobody writes a row out of
    /// his own reach, or into somebody else's.
    public func mayUpdate(_ before: Row, to after: Row, of model: String, as writer: Writer?) -> Bool {
        let rules = models[model]?.update ?? []
        return grants(rules, row: before, to: writer) && grants(rules, row: after, to: writer)
    }

    public func mayRemove(_ row: Row, of model: String, as writer: Writer?) -> Bool {
        grants(models[model]?.remove ?? [], row: row, to: writer)
    }

    /// Whether the writer may touch a column: it must be one that he sees, none that asks for a higher role to be
    /// written, and none that the server fills in.
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
