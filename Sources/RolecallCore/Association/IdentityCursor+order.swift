import ModelStore

extension IdentityCursor {
    /// Whether everything that another cursor covers is covered by this one, too. Cursors of two eras can't be compared.
    func covers(_ other: IdentityCursor) -> Bool {
        era == other.era && other.upTo <= upTo
            && except.allSatisfy { $0 > other.upTo || other.except.contains($0) }
    }
}
