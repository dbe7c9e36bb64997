import RolecallProtocol

/// The column that names a row's owner, and what of a user stands in it.
public struct Ownership: Hashable, Sendable {
    public enum Name: String, Hashable, Sendable, CaseIterable {
        /// The user's `_id`, a number.
        case id
        /// The user's e-mail address: for tables of an application with user records of its own.
        case email
    }

    public var column: String
    public var name: Name

    public init(column: String, name: Name = .id) {
        self.column = column
        self.name = name
    }

    /// Whether a row is this user's. A column that the row lacks names no user.
    func holds(in row: Row, for owner: Owner) -> Bool {
        guard let holder = row[column] else { return false }
        switch name {
        case .id: return holder.isSame(as: .integer(owner.id))
        case .email:
            guard case .text(let address) = holder, let email = owner.email else { return false }
            return Owner.folded(address) == email
        }
    }
}

extension Ownership: ExpressibleByStringLiteral {
    public init(stringLiteral column: String) { self.init(column: column) }
}

/// A user as the owner of rows.
public struct Owner: Hashable, Sendable {
    public var id: Int64
    /// In the form in which addresses are compared: without regard to the case of A to Z, as the accounts' table does.
    /// Nil where no rule asks for it.
    public private(set) var email: String?

    public init(id: Int64, email: String? = nil) {
        self.id = id
        self.email = email.map(Owner.folded)
    }

    /// What of the user these rules can tell apart; nil where that is nothing.
    func reduced(to rules: [Ownership]) -> Owner? {
        guard !rules.isEmpty else { return nil }
        return Owner(id: id, email: rules.contains { $0.name == .email } ? email : nil)
    }

    fileprivate static func folded(_ address: String) -> String {
        let capitals = UInt8(ascii: "A")...UInt8(ascii: "Z")
        guard address.utf8.contains(where: capitals.contains) else { return address }
        return String(decoding: address.utf8.map { capitals.contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}

extension Owner: ExpressibleByIntegerLiteral {
    public init(integerLiteral id: Int64) { self.init(id: id) }
}

extension Owner: CustomStringConvertible {
    public var description: String { email.map { "\(id) \($0)" } ?? "\(id)" }
}

extension UserSummary {
    /// The user as the owner of rows.
    public var owner: Owner { Owner(id: id, email: email) }
}
