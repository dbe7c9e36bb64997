/// What of the timeline is listed, and how to walk along it. Entries are known by their numbers.
extension ScreenState {
    var firstShown: Int? {
        if let listed = sieve.listed { return listed.first }
        return timeline.isEmpty ? nil : timeline.ids.lowerBound
    }

    var lastShown: Int? { sieve.listed.map(\.last) ?? timeline.lastID }

    func isShown(_ id: Int) -> Bool { sieve.listed?.contains(id) ?? timeline.ids.contains(id) }

    func shown(after id: Int) -> Int? {
        if let listed = sieve.listed { return listed[listed.count(before: id + 1)] }
        return timeline.ids.contains(id + 1) ? id + 1 : nil
    }

    func shown(before id: Int) -> Int? {
        if let listed = sieve.listed { return listed[listed.count(before: id) - 1] }
        return timeline.ids.contains(id - 1) ? id - 1 : nil
    }

    /// The entry itself where it is shown, otherwise the last one before it, otherwise the first one after it.
    func shown(at id: Int) -> Int? {
        if let listed = sieve.listed {
            let place = listed.count(before: id + 1) - 1
            return listed[max(0, place)]
        }
        guard let last = timeline.lastID else { return nil }
        return min(max(id, timeline.ids.lowerBound), last)
    }

    /// So many entries further down, or up where it is negative; as far as there are any.
    func shown(_ id: Int, offsetBy steps: Int) -> Int? {
        guard let listed = sieve.listed else { return shown(at: id + steps) }
        return listed[min(max(0, listed.count(before: id) + steps), listed.count - 1)]
    }

    /// How many entries stand below one.
    func shownCount(after id: Int) -> Int {
        sieve.listed?.count(after: id) ?? max(0, (timeline.lastID ?? id) - id)
    }

    /// Decides of new entries whether they are shown, and whether they are hits.
    mutating func settle() {
        sieve.update(timeline)
        search?.update(timeline, among: sieve.listed)
    }
}
