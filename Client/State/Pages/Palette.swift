import Terminal

/// The list of all that can be asked for, from which one is chosen by typing a part of its name.
struct Palette: Hashable, Sendable {
    enum Deed: Hashable, Sendable {
        case request(Request, KeyContext)
        case command(SlashCommand)
    }

    struct Item: Hashable, Sendable {
        let deed: Deed
        let name: String
        /// The keys that ask for it; empty where none does.
        let keys: String
        let explanation: String
        /// By which other words it is found.
        let synonyms: String
    }

    /// Where it was opened.
    let origin: KeyContext
    var filter = LineEditor()
    var selected = 0
    /// The first item in sight.
    var top = 0

    /// What there is to choose from there, the best answer to what is typed first.
    func items(_ keys: KeyMap, isDetailOpen: Bool) -> [Item] {
        let all = Self.all(keys, origin: origin, isDetailOpen: isDetailOpen)
        guard !filter.isEmpty else { return all }
        let scored = all.enumerated().compactMap { place, item in
            Fuzzy.score(filter.text, name: item.name, description: "\(item.explanation) \(item.synonyms)").map {
                (item: item, score: $0, place: place)
            }
        }
        return scored.sorted { ($1.score, $0.place) < ($0.score, $1.place) }.map(\.item)
    }

    private static func all(_ keys: KeyMap, origin: KeyContext, isDetailOpen: Bool) -> [Item] {
        var contexts: [KeyContext] = [.list, .detail, .people, .account, .explanation].contains(origin) ? [origin] : []
        contexts.append(.anywhere)
        contexts += [KeyContext.list, .detail].filter { $0 != origin && ($0 == .list || isDetailOpen) }
        var items: [Item] = []
        var known: Set<Request> = [.palette, .interrupt, .back, .choose]
        for context in contexts {
            for binding in keys.bindings where binding.context == context {
                guard known.insert(binding.request).inserted else { continue }
                items.append(
                    Item(
                        deed: .request(binding.request, context), name: binding.request.name,
                        keys: binding.keys.map(\.description).joined(separator: " "),
                        explanation: binding.request.explanation, synonyms: binding.request.synonyms))
            }
        }
        return items
            + SlashCommand.allCases.map { command in
                Item(
                    deed: .command(command), name: "/\(command.rawValue)", keys: "", explanation: command.explanation,
                    synonyms: command.synonyms)
            }
    }
}

extension Request {
    /// What it is called in the palette and in the configuration file: `toggle-wrap`.
    var name: String {
        var name = ""
        var wasUpper = true
        for character in "\(self)" {
            if character.isUppercase, !wasUpper { name += "-" }
            wasUpper = character.isUppercase
            name += character.lowercased()
        }
        return name
    }
}

extension ScreenState {
    mutating func togglePalette() {
        if case .palette = page {
            closePalette()
            return
        }
        let origin = place
        pageBehind = page
        page = .palette(Palette(origin: origin))
    }

    mutating func closePalette() {
        page = pageBehind
        pageBehind = nil
    }

    mutating func reducePalette(_ request: Request) -> [Effect] {
        guard case .palette(var palette) = page else { return [] }
        let items = palette.items(keys, isDetailOpen: detail.isOpen)
        let height = max(1, PaletteView.listHeight(self))
        switch request {
        case .choose:
            guard items.indices.contains(palette.selected) else {
                say("Nothing answers to that.")
                return []
            }
            return perform(items[palette.selected].deed, from: palette.origin)
        case .down: palette.selected += 1
        case .up: palette.selected -= 1
        case .pageDown: palette.selected += height
        case .pageUp: palette.selected -= height
        default:
            let before = palette.filter.characters
            palette.filter.perform(request)
            if palette.filter.characters != before { palette.selected = 0 }
        }
        let count = palette.items(keys, isDetailOpen: detail.isOpen).count
        palette.selected = min(max(0, palette.selected), max(0, count - 1))
        palette.top = PeopleView.top(palette.top, showing: palette.selected, of: count, height: height)
        page = .palette(palette)
        return []
    }

    /// - Returns: how many characters were left out.
    mutating func typeInPalette(_ text: String) -> Int {
        guard case .palette(var palette) = page else { return 0 }
        let dropped = palette.filter.insert(text)
        palette.selected = 0
        palette.top = 0
        page = .palette(palette)
        return dropped
    }

    private mutating func perform(_ deed: Palette.Deed, from origin: KeyContext) -> [Effect] {
        closePalette()
        switch deed {
        case .request(let request, let context):
            guard context != .anywhere, context != origin else { return perform(request, in: origin) }
            page = nil
            focus = context == .detail ? .detail : .list
            return perform(request, in: context)
        case .command(let command):
            guard command.parameter != .none else {
                return obey(command, "", isForced: false) ?? []
            }
            page = nil
            focus = .input
            // What stood there can be had again.
            input.remember()
            input.set("/\(command.rawValue) ")
            say(command.explanation)
            return []
        }
    }
}
