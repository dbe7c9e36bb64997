/// The triggers that append the end of a session to the log: of a sign-out as of a statement in the database's shell.
///
/// An end is an entry with the session's id as its key and no row. Its model is no model of any policy, and
/// readings of the log leave it out, so that it can reach no client: only the identity feed shows it. Like those of models, these triggers change nothing of the write that fires them and can't fail.
enum SessionTriggers {
    /// The entry's model. Names that begin so are the store's own.
    static let model = "rolecall_session"

    /// As version 2 made them. A model called `session` would have triggers of the same names.
    static let formerNames = ["rolecall_session_after_update", "rolecall_session_after_delete"]

    /// No model's name has a colon, so that no model has triggers of these names.
    static let names = ["rolecall:session_after_update", "rolecall:session_after_delete"]

    static func statements(names: [String]) -> [String] {
        zip(names, bodies).map { "CREATE TRIGGER \(SQL.name($0)) \($1)" }
    }

    private static let bodies = [
        """
        AFTER UPDATE OF id, user, revoked_at ON rolecall_session \
        FOR EACH ROW WHEN typeof(OLD.id) = 'text' AND OLD.revoked_at IS NULL AND (NEW.revoked_at IS NOT NULL \
        OR NEW.id IS NOT OLD.id OR NEW.user IS NOT OLD.user) BEGIN \(append); END
        """,
        // A session whose tokens have all expired is forgotten, and ends nothing. Those of a removed user go with the
        // user, whose own entry says so; the user is gone from the table when a cascade comes here.
        """
        AFTER DELETE ON rolecall_session FOR EACH ROW \
        WHEN typeof(OLD.id) = 'text' AND OLD.revoked_at IS NULL \
        AND OLD.expires_at >= 1000 * CAST(strftime('%s', 'now') AS INTEGER) \
        AND EXISTS (SELECT 1 FROM rolecall_user AS u WHERE u._id = OLD.user) BEGIN \(append); END
        """,
    ]

    private static let append = """
        INSERT INTO rolecall_events(model, op, "key", actor, at) SELECT '\(model)', 'removed', json_quote(OLD.id), \
        (SELECT actor FROM rolecall_context LIMIT 1), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
        """
}
