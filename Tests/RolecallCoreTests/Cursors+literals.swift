import ModelStore
import RolecallProtocol

/// Places of one era, by their numbers.
extension LogCursor: ExpressibleByIntegerLiteral {
    public init(integerLiteral sequence: Int64) { self.init(era: Era(rawValue: 1), sequence: sequence) }
}

extension IdentityCursor: ExpressibleByIntegerLiteral {
    public init(integerLiteral number: Int64) { self.init(era: Era(rawValue: 1), upTo: number) }
}

extension IdentityMark: ExpressibleByIntegerLiteral {
    public init(integerLiteral number: Int64) { self.init(era: Era(rawValue: 1), number: number) }
}
