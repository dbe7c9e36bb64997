import RolecallProtocol
import Terminal

/// The filters: setting them by keys and commands, and the page that lists them.
extension ScreenState {
    /// Shows what these filters let through.
    mutating func change(_ filters: [Filter]) {
        sieve.change(filters)
        sieveChanged()
    }

    /// Other entries are shown than before.
    mutating func sieveChanged() {
        search?.askAnew()
        settle()
        keepSelectionInSight()
    }

    mutating func toggleDimming() {
        sieve.isDimming.toggle()
        sieveChanged()
        say("What does not match is \(sieve.isDimming ? "dimmed" : "hidden").")
    }

    /// The filters with another one. One that is there already is switched on, and stands there once.
    func filters(adding text: String) throws(QueryError) -> [Filter] {
        var filters = sieve.filters
        let new = try Filter(text, at: now.wall)
        if let twin = filters.firstIndex(where: { $0.query == new.query && !$0.isFlipped }) {
            filters[twin].isOn = true
        } else {
            filters.append(new)
        }
        return filters
    }

    /// Says what became of the filters, and how they are taken away.
    mutating func tellFilters(before: [Filter]) {
        let filters = sieve.filters
        if filters.count == before.count {
            if filters == before {
                guard !filters.isEmpty else { return }
                say("\(Words.count(filters.count, "filter")) as before; /filter off takes all away, F lists them.")
            } else if zip(filters, before).allSatisfy({ $0.query == $1.query }) {
                say("That filter was there, switched off; it is on again.")
            }
        } else if filters.count > before.count {
            say(
                filters.count == 1
                    ? "The filter is set; /filter off takes it away."
                    : "The filter was added: all \(filters.count) must hold; /filter off takes them away.")
        }
    }

    mutating func removeFilters() {
        let count = sieve.filters.count
        change([])
        say(count == 0 ? "There was no filter." : "\(Words.count(count, "filter")) taken away: all is shown.")
    }

    // MARK: Tabs

    /// Shows a tab, where it was left.
    mutating func show(_ tab: Tab) {
        page = nil
        if prompt != nil { leavePrompt() }
        if tab == .chat { unreadChat = 0 }
        guard tab != sieve.tab else { return }
        views[sieve.tab] = view
        sieve.change(tab)
        view = views[tab] ?? ListPosition()
        detail.version = nil
        sieveChanged()
    }

    // MARK: Commands

    /// - Returns: nil where what was typed can't be a filter.
    mutating func reduceFilterCommand(_ command: SlashCommand, _ argument: String) -> [Effect]? {
        guard !argument.isEmpty else {
            openPrompt(.filter(place: nil))
            return []
        }
        guard command == .mute || argument != "off" else {
            removeFilters()
            return []
        }
        let before = sieve.filters
        do {
            switch command {
            case .mute: guard try mute(argument) != nil else { return nil }
            case .only: try change([Filter(argument, at: now.wall)])
            default: try change(filters(adding: argument))
            }
            if command == .only {
                say("This filter alone is set. /filter off takes it away.")
            } else {
                tellFilters(before: before)
            }
            return []
        } catch {
            return retype(command.rawValue, argument, "\(error)")
        }
    }

    private mutating func mute(_ name: String) throws(QueryError) -> [Effect]? {
        let words = QueryWords(self)
        let quoted = QueryWords.quoted(name)
        if words.models.contains(name) {
            try change(filters(adding: "-model:\(quoted)"))
        } else if words.people.contains(where: { $0.lowercased().contains(name.lowercased()) }) {
            try change(filters(adding: "-who:\(quoted)"))
        } else {
            let kinds = words.models.isEmpty ? "" : " Models are \(words.models.prefix(6).joined(separator: ", "))."
            let unknown = SafeText(String(name.prefix(40)))
            return retype("mute", name, "No model and nobody who is known here is called \(unknown).\(kinds)")
        }
        return []
    }

    // MARK: The page

    mutating func reduceFilters(_ request: Request) {
        guard case .filters(let selected) = page else { return }
        var filters = sieve.filters
        guard !filters.isEmpty else { return say("There is no filter; f writes one.") }
        let place = min(max(0, selected), filters.count - 1)
        switch request {
        case .down: page = .filters(selected: min(place + 1, filters.count - 1))
        case .up: page = .filters(selected: max(place - 1, 0))
        case .first: page = .filters(selected: 0)
        case .last: page = .filters(selected: filters.count - 1)
        case .choose: openPrompt(.filter(place: place), filters[place].text)
        case .toggle:
            filters[place].isOn.toggle()
            change(filters)
        case .flip:
            filters[place].isFlipped.toggle()
            change(filters)
        case .clearFilters: removeFilters()
        case .remove:
            filters.remove(at: place)
            change(filters)
            page = .filters(selected: max(0, min(place, filters.count - 1)))
        default: break
        }
    }
}
