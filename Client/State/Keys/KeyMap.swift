import Terminal

/// Where keys are pressed.
enum KeyContext: Hashable, Sendable, CaseIterable {
    case anywhere
    case list
    case detail
    case input
    case form
    case account
    case people
    /// Where somebody is named for whom an event is to be explained.
    case whom
    case explanation
    /// Where the query of a filter is typed.
    case filter
    /// Where a text to search for is typed.
    case search
    case filters
    /// Where a key is the name of a mark.
    case mark
    case help
    /// Where it is typed what of the help is wanted.
    case helpSearch
    case palette
    case confirmation

    /// The heading of its keys on the help page.
    var title: String {
        switch self {
        case .anywhere: "Anywhere"
        case .list: "LIST"
        case .detail: "DETAIL"
        case .input: "INPUT"
        case .form: "LOGIN"
        case .account: "ACCOUNT"
        case .people: "PEOPLE"
        case .whom: "WHOM"
        case .explanation: "WHY"
        case .filter: "FILTER"
        case .search: "SEARCH"
        case .filters: "FILTERS"
        case .mark: "MARK"
        case .help: "HELP"
        case .helpSearch: "FIND"
        case .palette: "PALETTE"
        case .confirmation: "y/n"
        }
    }
}

/// Which key asks for what, in each place: the one table behind the keys, the help page and the footer.
struct KeyMap: Sendable {
    struct Binding: Hashable, Sendable {
        let context: KeyContext
        /// The first one is what the footer names.
        let keys: [Key]
        let request: Request
    }

    /// In the order of the help page.
    let bindings: [Binding]
    private let table: [KeyContext: [Key: Request]]
    private let names: [KeyContext: [Request: [Key]]]

    init(_ bindings: [Binding]) {
        self.bindings = bindings
        var table: [KeyContext: [Key: Request]] = [:]
        var names: [KeyContext: [Request: [Key]]] = [:]
        for binding in bindings {
            for key in binding.keys { table[binding.context, default: [:]][key] = binding.request }
            names[binding.context, default: [:]][binding.request, default: []] += binding.keys
        }
        self.table = table
        self.names = names
    }

    /// What a key asks for there; what it asks for anywhere, where the place has no use of its own for it.
    func request(for key: Key, in context: KeyContext) -> Request? {
        table[context]?[key] ?? table[.anywhere]?[key]
    }

    /// The key to name for a request; nil where no key asks for it.
    func key(for request: Request, in context: KeyContext) -> Key? {
        (names[context]?[request] ?? names[.anywhere]?[request])?.first
    }

    /// The keys that ask for it everywhere.
    func keysAnywhere(for request: Request) -> [Key] { names[.anywhere]?[request] ?? [] }

    static let standard = KeyMap(
        anywhere + list + detail + input + form + menu(.account, choosing: true) + people + whom
            + explanation + typing(.filter) + typing(.search) + filters
            + [Binding(context: .mark, keys: [.escape], request: .back)] + help + palette + confirmation)

    private static let anywhere: [Binding] = [
        Binding(context: .anywhere, keys: [.function(1)], request: .help),
        Binding(context: .anywhere, keys: [.function(2)], request: .account),
        Binding(context: .anywhere, keys: [.function(7), .alt("4")], request: .people),
        Binding(context: .anywhere, keys: [.function(3)], request: .search),
        Binding(context: .anywhere, keys: [.function(4)], request: .filter),
        Binding(context: .anywhere, keys: [.alt("1")], request: .tabAll),
        Binding(context: .anywhere, keys: [.alt("2")], request: .tabEvents),
        Binding(context: .anywhere, keys: [.alt("3")], request: .tabChat),
        Binding(context: .anywhere, keys: [.function(5)], request: .reconnect),
        Binding(context: .anywhere, keys: [.function(6)], request: .nextPane),
        Binding(context: .anywhere, keys: [.function(8)], request: .togglePause),
        Binding(context: .anywhere, keys: [.function(9)], request: .palette),
        Binding(context: .anywhere, keys: [.function(10)], request: .quit),
        Binding(context: .anywhere, keys: [.control("c")], request: .interrupt),
        Binding(context: .anywhere, keys: [.control("l")], request: .repaint),
        Binding(context: .anywhere, keys: [.control("z")], request: .suspend),
        Binding(context: .anywhere, keys: [.escape], request: .back),
    ]

    private static func moving(_ context: KeyContext) -> [Binding] {
        [
            Binding(context: context, keys: [.character("j"), .down], request: .down),
            Binding(context: context, keys: [.character("k"), .up], request: .up),
            // In the detail pane the space bar folds.
            Binding(
                context: context, keys: [.pageDown] + (context == .detail ? [] : [.space]) + [.control("f")],
                request: .pageDown),
            Binding(context: context, keys: [.pageUp, .control("b")], request: .pageUp),
            Binding(context: context, keys: [.control("d")], request: .halfPageDown),
            Binding(context: context, keys: [.control("u")], request: .halfPageUp),
            Binding(context: context, keys: [.character("g"), .home], request: .first),
            Binding(context: context, keys: [.end, .character("G")], request: .last),
        ]
    }

    private static func versions(_ context: KeyContext) -> [Binding] {
        [
            Binding(context: context, keys: [.character("d")], request: .toggleDiff),
            Binding(context: context, keys: [.character("[")], request: .olderVersion),
            Binding(context: context, keys: [.character("]")], request: .newerVersion),
            Binding(context: context, keys: [.character("J")], request: .showJSON),
            Binding(context: context, keys: [.character("D")], request: .showDiff),
            Binding(context: context, keys: [.character("R")], request: .showRaw),
            Binding(context: context, keys: [.character("y")], request: .copyEvent),
            Binding(context: context, keys: [.character("Y")], request: .copyValue),
        ]
    }

    private static let list: [Binding] =
        moving(.list) + [Binding(context: .list, keys: [.enter], request: .open)] + versions(.list) + [
            Binding(context: .list, keys: [.character("/")], request: .search),
            Binding(context: .list, keys: [.character("n")], request: .nextHit),
            Binding(context: .list, keys: [.character("N")], request: .previousHit),
            Binding(context: .list, keys: [.character("f")], request: .filter),
            Binding(context: .list, keys: [.character("F")], request: .filters),
            Binding(context: .list, keys: [.character("c")], request: .toggleDimming),
            Binding(context: .list, keys: [.character("t")], request: .timeMode),
            Binding(context: .list, keys: [.character("m")], request: .setMark),
            Binding(context: .list, keys: [.character("'")], request: .goToMark),
            Binding(context: .list, keys: [.character("h"), .left], request: .scrollLeft),
            Binding(context: .list, keys: [.character("l"), .right], request: .scrollRight),
            Binding(context: .list, keys: [.character("x")], request: .explain),
            Binding(context: .list, keys: [.character("p")], request: .togglePause),
            // As the line of tabs shows them.
            Binding(context: .list, keys: [.character("1")], request: .tabAll),
            Binding(context: .list, keys: [.character("2")], request: .tabEvents),
            Binding(context: .list, keys: [.character("3")], request: .tabChat),
            Binding(context: .list, keys: [.character("4")], request: .people),
            Binding(context: .list, keys: [.character("i"), .tab], request: .write),
            Binding(context: .list, keys: [.character(":")], request: .command),
            Binding(context: .list, keys: [.character("r")], request: .retryNow),
            Binding(context: .list, keys: [.character("w")], request: .toggleWrap),
            Binding(context: .list, keys: [.character("?")], request: .help),
            Binding(context: .list, keys: [.character("q")], request: .quit),
        ]

    private static let detail: [Binding] =
        moving(.detail) + versions(.detail) + [
            Binding(context: .detail, keys: [.enter, .space], request: .fold),
            Binding(context: .detail, keys: [.character("-")], request: .foldAll),
            Binding(context: .detail, keys: [.character("+")], request: .unfoldAll),
            Binding(context: .detail, keys: [.character("n")], request: .nextHit),
            Binding(context: .detail, keys: [.character("N")], request: .previousHit),
            Binding(context: .detail, keys: [.character("x")], request: .explain),
            Binding(context: .detail, keys: [.character("i")], request: .write),
            Binding(context: .detail, keys: [.tab], request: .nextPane),
            Binding(context: .detail, keys: [.character("r")], request: .retryNow),
            Binding(context: .detail, keys: [.character("?")], request: .help),
            Binding(context: .detail, keys: [.escape, .character("q")], request: .back),
        ]

    private static let editing: [(keys: [Key], request: Request)] = [
        ([.left, .control("b")], .left), ([.right, .control("f")], .right),
        ([.control("a"), .home], .lineStart), ([.control("e"), .end], .lineEnd),
        ([.alt("b"), .control(.left), .alt(.left)], .wordLeft),
        ([.alt("f"), .control(.right), .alt(.right)], .wordRight),
        ([.backspace], .deleteBackward), ([.control("d"), .delete], .deleteForward),
        ([.control("k")], .killToEnd), ([.control("u")], .killToStart), ([.control("w")], .killWord),
        ([.alt(.backspace)], .killWordBackward), ([.alt("d")], .killWordForward),
        ([.control("y")], .yank), ([.control("t")], .transpose),
    ]

    private static let input: [Binding] =
        [
            Binding(context: .input, keys: [.enter], request: .send),
            Binding(context: .input, keys: [.alt(.enter)], request: .newLine),
            Binding(context: .input, keys: [.tab], request: .complete),
            Binding(context: .input, keys: [.up, .control("p")], request: .historyOlder),
            Binding(context: .input, keys: [.down, .control("n")], request: .historyNewer),
            Binding(context: .input, keys: [.pageDown], request: .pageDown),
            Binding(context: .input, keys: [.pageUp], request: .pageUp),
        ] + editing.map { Binding(context: .input, keys: $0.keys, request: $0.request) }

    /// Where a query is typed.
    private static func typing(_ context: KeyContext) -> [Binding] {
        [
            Binding(context: context, keys: [.enter], request: .choose),
            Binding(context: context, keys: [.escape], request: .back),
            Binding(context: context, keys: [.tab], request: .completeTerm),
            Binding(context: context, keys: [.up, .control("p")], request: .historyOlder),
            Binding(context: context, keys: [.down, .control("n")], request: .historyNewer),
            Binding(context: context, keys: [.pageDown], request: .pageDown),
            Binding(context: context, keys: [.pageUp], request: .pageUp),
        ] + editing.map { Binding(context: context, keys: $0.keys, request: $0.request) }
    }

    private static let filters: [Binding] = [
        Binding(context: .filters, keys: [.character("j"), .down, .tab], request: .down),
        Binding(context: .filters, keys: [.character("k"), .up, .backTab], request: .up),
        Binding(context: .filters, keys: [.home, .character("g")], request: .first),
        Binding(context: .filters, keys: [.end, .character("G")], request: .last),
        Binding(context: .filters, keys: [.space], request: .toggle),
        Binding(context: .filters, keys: [.character("t")], request: .flip),
        Binding(context: .filters, keys: [.character("D"), .delete], request: .remove),
        Binding(context: .filters, keys: [.character("C")], request: .clearFilters),
        Binding(context: .filters, keys: [.enter], request: .choose),
        Binding(context: .filters, keys: [.character("f")], request: .filter),
        Binding(context: .filters, keys: [.character("c")], request: .toggleDimming),
        Binding(context: .filters, keys: [.character("?")], request: .help),
        Binding(context: .filters, keys: [.escape, .character("q")], request: .back),
    ]

    private static let form: [Binding] =
        [
            Binding(context: .form, keys: [.tab, .down], request: .nextField),
            Binding(context: .form, keys: [.backTab, .up], request: .previousField),
            Binding(context: .form, keys: [.enter], request: .choose),
            Binding(context: .form, keys: [.space], request: .toggle),
        ] + editing.map { Binding(context: .form, keys: $0.keys, request: $0.request) }

    /// Here `k` is no way up: it kicks.
    private static let people: [Binding] = [
        Binding(context: .people, keys: [.down, .tab, .control("n")], request: .down),
        Binding(context: .people, keys: [.up, .backTab, .control("p")], request: .up),
        Binding(context: .people, keys: [.pageDown, .space], request: .pageDown),
        Binding(context: .people, keys: [.pageUp], request: .pageUp),
        Binding(context: .people, keys: [.home, .character("g")], request: .first),
        Binding(context: .people, keys: [.end, .character("G")], request: .last),
        Binding(context: .people, keys: [.character("k")], request: .kick),
        Binding(context: .people, keys: [.character("K")], request: .kickAndClose),
        Binding(context: .people, keys: [.character("r")], request: .reload),
        Binding(context: .people, keys: [.character("?")], request: .help),
        Binding(context: .people, keys: [.escape, .character("q")], request: .back),
    ]

    private static let whom: [Binding] =
        [
            Binding(context: .whom, keys: [.enter], request: .choose),
            Binding(context: .whom, keys: [.tab], request: .completeName),
        ] + editing.map { Binding(context: .whom, keys: $0.keys, request: $0.request) }

    private static let explanation: [Binding] =
        [
            Binding(context: .explanation, keys: [.character("x")], request: .explain),
            Binding(context: .explanation, keys: [.character("r")], request: .reload),
        ] + menu(.explanation, choosing: false)

    private static let help: [Binding] =
        menu(.help, choosing: false)
        + [Binding(context: .help, keys: [.character("/")], request: .narrow)]
        + typing(.helpSearch, choosing: [.enter])

    private static let palette: [Binding] = typing(.palette, choosing: [.enter])

    /// Where a line is typed above a list.
    private static func typing(_ context: KeyContext, choosing: [Key]) -> [Binding] {
        [
            Binding(context: context, keys: choosing, request: .choose),
            Binding(context: context, keys: [.down, .tab, .control("n")], request: .down),
            Binding(context: context, keys: [.up, .backTab, .control("p")], request: .up),
            Binding(context: context, keys: [.pageDown], request: .pageDown),
            Binding(context: context, keys: [.pageUp], request: .pageUp),
        ] + editing.map { Binding(context: context, keys: $0.keys, request: $0.request) }
    }

    private static let confirmation: [Binding] = [
        Binding(context: .confirmation, keys: [.character("y")], request: .confirm),
        Binding(context: .confirmation, keys: [.character("n"), .escape], request: .decline),
    ]

    private static func menu(_ context: KeyContext, choosing: Bool) -> [Binding] {
        let common = [
            Binding(context: context, keys: [.character("j"), .down, .tab], request: .down),
            Binding(context: context, keys: [.character("k"), .up, .backTab], request: .up),
        ]
        let own =
            choosing
            ? [
                Binding(context: context, keys: [.enter], request: .choose),
                Binding(context: context, keys: [.character("r")], request: .reload),
            ]
            : [
                Binding(context: context, keys: [.pageDown, .space], request: .pageDown),
                Binding(context: context, keys: [.pageUp], request: .pageUp),
                Binding(context: context, keys: [.home, .character("g")], request: .first),
                Binding(context: context, keys: [.end, .character("G")], request: .last),
            ]
        return common + own + [Binding(context: context, keys: [.escape, .character("q")], request: .back)]
    }
}
