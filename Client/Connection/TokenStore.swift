import WireJSON

/// The tokens that a user's logins left, in a private file per profile, keyed by the origin that issued them.
///
/// The file (`<profile>.json`, mode 0600, in a directory of mode 0700) is replaced as a whole, so that a reader never
/// sees half of one; writers of several processes take turns by a lock file beside it, so that none loses another's
/// entry.
struct TokenStore: Sendable {
    /// The directory of all profiles, `$XDG_STATE_HOME/rolecall`.
    let directory: String
    let profile: Profile

    private var path: String { "\(directory)/\(profile).json" }
    private var lockPath: String { "\(directory)/\(profile).lock" }

    /// The token of an origin; nil where none is saved.
    func token(for origin: ServerOrigin) throws(TokenStoreError) -> Token? {
        guard let saved = try read()[origin.description] else { return nil }
        guard let token = saved["token"]?.stringValue.flatMap(Token.init) else {
            throw TokenStoreError.damaged(path, "its entry for \(origin) holds no token")
        }
        return token
    }

    /// Whose the saved login is, for the form that asks for the password again; nil where that is not known.
    func email(for origin: ServerOrigin) throws(TokenStoreError) -> String? {
        try read()[origin.description]?["email"]?.stringValue
    }

    /// Saves a token as its origin's only one.
    ///
    /// - Parameter email: whose it is.
    func save(_ token: Token, for origin: ServerOrigin, email: String? = nil) async throws(TokenStoreError) {
        try PrivateFile.makeDirectory(directory)
        let lock = try await FileLock(path: lockPath)
        defer { lock.release() }
        var tokens = try read()
        var entry: JSONObject = ["token": .string(token.secret)]
        if let email { entry["email"] = .string(email) }
        tokens[origin.description] = .object(entry)
        try write(tokens)
    }

    /// The same, for who has something to say of it either way.
    ///
    /// - Returns: why it was not saved; nil where it was.
    func failure(ofSaving token: Token, for origin: ServerOrigin, email: String?) async -> String? {
        do throws(TokenStoreError) {
            try await save(token, for: origin, email: email)
            return nil
        } catch {
            return error.description
        }
    }

    /// Puts a session's new token in the place of its old one. Where the saved login is another session's by now, or
    /// was deleted, it stays so.
    ///
    /// - Returns: whether it was saved.
    func renew(
        _ old: Token, with new: Token, for origin: ServerOrigin
    ) async throws(TokenStoreError) -> Bool {
        // Nothing is made for a login that was never saved.
        guard try token(for: origin) != nil else { return false }
        let lock = try await FileLock(path: lockPath)
        defer { lock.release() }
        guard let saved = try token(for: origin) else { return false }
        let isOfSession = saved == old || saved.sessionID != nil && saved.sessionID == old.sessionID
        guard isOfSession else { return false }
        var tokens = try read()
        var entry = tokens[origin.description]?.objectValue ?? [:]
        entry["token"] = .string(new.secret)
        tokens[origin.description] = .object(entry)
        try write(tokens)
        return true
    }

    /// Forgets an origin's token.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    func remove(_ origin: ServerOrigin) async throws(TokenStoreError) -> Bool {
        guard try read()[origin.description] != nil else { return false }
        let lock = try await FileLock(path: lockPath)
        defer { lock.release() }
        var tokens = try read()
        guard tokens.removeValue(forKey: origin.description) != nil else { return false }
        try write(tokens)
        return true
    }

    private func read() throws(TokenStoreError) -> JSONObject {
        guard let bytes = try PrivateFile.contents(of: path) else { return JSONObject() }
        let content: JSON
        do {
            content = try JSON(parsing: bytes)
        } catch {
            throw TokenStoreError.damaged(path, "byte \(error.offset) is not JSON")
        }
        guard let tokens = content["tokens"]?.objectValue else {
            throw TokenStoreError.damaged(path, "it has no member 'tokens'")
        }
        return tokens
    }

    private func write(_ tokens: JSONObject) throws(TokenStoreError) {
        let content: JSON = ["version": 1, "tokens": .object(tokens)]
        try PrivateFile.replace(path, with: Array("\(content.prettyPrinted())\n".utf8))
    }
}

/// The name under which a set of logins is kept: letters, digits, `.`, `-` and `_`, at most 64, the first a letter or
/// a digit; so it is a file's name on every system and never another directory's.
struct Profile: Hashable, Sendable, CustomStringConvertible {
    static let `default` = Profile(unchecked: "default")

    let description: String

    init?(_ text: String) {
        func isWordByte(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: false
            }
        }
        guard let first = text.utf8.first, isWordByte(first), text.utf8.count <= 64,
            text.utf8.allSatisfy({ isWordByte($0) || ".-_".utf8.contains($0) })
        else { return nil }
        description = text
    }

    private init(unchecked text: String) {
        description = text
    }
}

/// Why the saved tokens can't be read or written; a whole sentence that says what to do. It never holds a token.
struct TokenStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    let description: String

    static func damaged(_ path: String, _ fault: String) -> TokenStoreError {
        TokenStoreError(description: "The token store \(path) is damaged (\(fault)); delete it and log in again.")
    }

    static func exposed(_ path: String, mode: String) -> TokenStoreError {
        TokenStoreError(
            description: "The token store \(path) is open to other users (mode \(mode)) and was not used; "
                + "run `chmod 600 \(path)`, or delete it and log in again if somebody may have read it.")
    }

    static func unusable(_ path: String, _ fault: String) -> TokenStoreError {
        TokenStoreError(description: "The token store \(path) can't be used: \(fault).")
    }
}
