extension Query {
    /// What can be written in a query, for people.
    static let grammar: [(term: String, meaning: String)] = [
        ("model:thing", "events of that model"),
        ("op:updated", "created, updated, removed, hidden; save and remove stand for two each"),
        ("who:ann", "changes by a user whose name contains it; who:none: made in the database, not through the server"),
        ("key:12", "the row of that key"),
        ("name=value", "a field that equals it, read as JSON or as text"),
        ("name~text", "a field that contains it"),
        ("role:admin", "rows of the model user with that role; for /notify, somebody of that role who comes on, too"),
        ("since:5m", "events of the last five minutes (s, m, h, d)"),
        ("word", "a line or a row in which the word stands: a name, a model, a value, by whom"),
        ("-term", "what the term does not hold for"),
        ("\"two words\"", "quotes hold spaces together; upper and lower case are the same"),
    ]
}
