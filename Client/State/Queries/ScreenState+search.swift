import Terminal

/// Searching among what is shown, and going from hit to hit.
extension ScreenState {
    /// Searches for a text; an empty one ends the search.
    mutating func startSearch(_ text: String) {
        search = SearchPattern(text, at: now.wall).map(Search.init)
        settle()
    }

    /// Goes to the hit nearest to a place: there or above it, otherwise below.
    mutating func goToHit(from place: ListPosition) {
        guard let search, let origin = place.isFollowing ? lastShown : shown(at: place.selected) else { return }
        let above = search.hits.count(before: origin + 1)
        guard let hit = search.hits[max(0, above - 1)] else { return }
        select(hit)
    }

    /// Goes to the next hit below, or above; past the last one it begins anew.
    mutating func goToHit(below: Bool) {
        guard let search else { return say("Nothing is searched for; / does.") }
        guard let selected, search.hits.count > 0 else { return tellHits() }
        let above = search.hits.count(before: selected)
        var place = below ? search.hits.count(before: selected + 1) : above - 1
        var remark = ""
        if place >= search.hits.count {
            place = 0
            remark = " (from the oldest again)"
        } else if place < 0 {
            place = search.hits.count - 1
            remark = " (from the newest again)"
        }
        guard let hit = search.hits[place] else { return }
        rememberPlace()
        select(hit)
        if !remark.isEmpty { say("\(searchStatus)\(remark)") }
    }

    /// Says how much was found.
    mutating func tellHits() {
        guard let search else { return }
        if search.hits.count == 0 {
            alarm("No line has '\(search.pattern.text.prefix(60))'.")
        } else {
            say("\(searchStatus): n goes to the next below, N above.")
        }
    }

    /// `Hit 47 of 53`; empty where nothing is searched for.
    var searchStatus: String {
        guard let search else { return "" }
        let count = search.hits.count
        guard count > 0 else { return "no hit" }
        guard let selected, search.hits.contains(selected) else { return Words.count(count, "hit") }
        return "Hit \(Words.number(search.hits.count(before: selected) + 1)) of \(Words.number(count))"
    }

    mutating func endSearch() { search = nil }

    mutating func reduceSearchCommand(_ argument: String) {
        guard !argument.isEmpty else { return openPrompt(.search) }
        let origin = view
        focus = .list
        startSearch(argument)
        rememberPlace()
        goToHit(from: origin)
        tellHits()
    }
}
