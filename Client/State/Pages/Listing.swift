/// What a page shows of the server's, which tells it only when it is asked.
struct Listing<Item: Hashable & Sendable>: Hashable, Sendable {
    /// How old a list may become while it is looked at.
    static var lifetime: Duration { .seconds(5) }

    /// Nil before the first answer.
    private(set) var items: [Item]?
    /// Why the last answer was none; a whole sentence, made safe.
    private(set) var fault: String?
    /// The server does not tell this user.
    private(set) var isDenied = false
    private(set) var isLoading = false
    /// When to ask again, in uptime.
    private(set) var reloadsAt: Duration?

    /// - Returns: whether to ask now; not while an answer is on its way, nor after a denial.
    mutating func load() -> Bool {
        guard !isLoading, !isDenied else { return false }
        isLoading = true
        reloadsAt = nil
        return true
    }

    /// The same, where it is time.
    mutating func loadIfDue(at uptime: Duration) -> Bool {
        guard let reloadsAt, reloadsAt <= uptime else { return false }
        return load()
    }

    mutating func loaded(_ items: [Item], at uptime: Duration) {
        self.items = items
        fault = nil
        isLoading = false
        reloadsAt = uptime + Self.lifetime
    }

    /// - Parameter reason: a whole sentence.
    mutating func failed(_ reason: String, isDenied: Bool, at uptime: Duration) {
        fault = SafeText(reason).text
        self.isDenied = isDenied
        if isDenied { items = nil }
        isLoading = false
        reloadsAt = isDenied ? nil : uptime + Self.lifetime
    }

    /// What it shows is known to have changed.
    mutating func isOutdated(at uptime: Duration) {
        guard let reloadsAt else { return }
        // What comes in crowds is asked for once.
        self.reloadsAt = min(reloadsAt, uptime + .milliseconds(300))
    }
}
