import Terminal

/// The help page: from where it is seen, and what of it.
struct HelpPage: Hashable, Sendable {
    /// The first line in sight.
    var top = 0
    /// What is looked for; nil where all is shown.
    var search: LineEditor?
    /// Keys go to that text.
    var isTyping = false
}

extension ScreenState {
    mutating func reduceHelp(_ request: Request) {
        guard case .help(var help) = page else { return }
        let layout = Layout(self)
        let end = HelpView.lines(self, width: layout.main.columns).count
        let height = max(1, HelpView.listHeight(self))
        switch request {
        case .down: help.top += 1
        case .up: help.top -= 1
        case .pageDown: help.top += max(1, height - 1)
        case .pageUp: help.top -= max(1, height - 1)
        case .last: help.top = end
        case .first: help.top = 0
        case .narrow:
            help.isTyping = true
            if help.search == nil { help.search = LineEditor() }
        // The keys of the page are wanted again; what was found stays.
        case .choose: help.isTyping = false
        default:
            guard help.isTyping else { break }
            help.search?.perform(request)
            help.top = 0
        }
        page = .help(help)
        help.top = min(max(0, help.top), max(0, HelpView.lines(self, width: layout.main.columns).count - height))
        page = .help(help)
    }

    /// - Returns: how many characters were left out.
    mutating func typeInHelp(_ text: String) -> Int {
        guard case .help(var help) = page, help.isTyping else { return 0 }
        let dropped = help.search?.insert(text) ?? 0
        help.top = 0
        page = .help(help)
        return dropped
    }

    /// - Returns: whether there was a search to end.
    mutating func endHelpSearch() -> Bool {
        guard case .help(let help) = page, help.search != nil else { return false }
        page = .help(HelpPage())
        return true
    }
}
