import RolecallProtocol

/// Reads users and sign-ins inside a transaction. Valid only inside its body.
public protocol AccountReader {
    func user(id: Int64) throws -> UserRecord?
    /// Addresses are compared without regard to case.
    func user(email: String) throws -> UserRecord?
    func users() throws -> [UserRecord]
    /// How many users have a role: whether one is the last admin, for example.
    func userCount(role: String) throws -> Int
    func session(id: String) throws -> SessionRecord?
    /// All that is known of a user's sign-ins, newest first; see ``SessionRecord/isOpen(at:)``.
    func sessions(ofUser id: Int64) throws -> [SessionRecord]
}

/// Writes users and sign-ins inside a transaction. Valid only inside its body.
public protocol AccountWriter {
    /// - Throws: ``StoreError/conflict(_:column:)`` where the address is taken.
    func insertUser(email: String, name: String, role: String, password: String) throws -> UserRecord
    func setRole(_ role: String, ofUser id: Int64) throws
    /// Stores a password's hash and raises the user's token generation: every token made before is void.
    func setPassword(_ hash: String, ofUser id: Int64) throws
    /// Raises the user's token generation: every token made before is void, those of no session included.
    func voidTokens(ofUser id: Int64) throws
    /// Stores a better hash of the same password; tokens stay valid.
    func upgradePassword(_ hash: String, ofUser id: Int64) throws
    /// Gives a user another name, another address, or both; nil leaves what is there.
    ///
    /// - Returns: the user as stored; nil where there is none.
    /// - Throws: ``StoreError/conflict(_:column:)`` where the address is taken.
    func updateUser(id: Int64, name: String?, email: String?) throws -> UserRecord?
    /// Ids of removed users are never given again: a token can't come to name another user.
    func removeUser(id: Int64) throws

    func insertSession(_ session: SessionRecord) throws
    /// - Returns: false where there is no such session, or it was revoked before.
    @discardableResult func revokeSession(id: String, at: Timestamp) throws -> Bool
    /// Revokes all sessions of a user that are open.
    ///
    /// - Returns: how many.
    @discardableResult func revokeSessions(ofUser id: Int64, at: Timestamp) throws -> Int
    /// Notes that a session is in use. Nothing is written where that was noted less than
    /// ``SessionRecord/touchInterval`` before; a server asks only when it must have been longer.
    ///
    /// - Returns: whether it was noted.
    @discardableResult func touchSession(id: String, at: Timestamp) throws -> Bool
    /// Lets a session last until this moment; never shorter than it did.
    ///
    /// - Returns: false where there is no such session, or it was revoked.
    @discardableResult func extendSession(id: String, expiresAt: Timestamp) throws -> Bool
    /// Forgets sessions whose tokens expired before this moment.
    func pruneSessions(expiredBefore: Timestamp) throws
}
