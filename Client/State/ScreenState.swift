import RolecallProtocol
import Terminal

/// Everything that the screen shows, as a value: ``reduce(_:at:)`` changes it, the views draw it.
struct ScreenState: Sendable {
    /// Where keys go.
    enum Focus: Hashable, Sendable {
        case list
        case detail
        case input
    }

    /// What stands in the place of the list.
    enum Page: Hashable, Sendable {
        case login(LoginForm)
        case account(AccountItem)
        case people
        case explanation(ExplanationPage)
        case filters(selected: Int)
        case help(HelpPage)
        case palette(Palette)
    }

    /// A sentence in the footer, until the next key.
    struct Message: Hashable, Sendable {
        var text: String
        var isAlarm = false
    }

    var keys: KeyMap
    let capabilities: Capabilities
    let profile: String
    /// Whether a password may travel in the clear.
    let isInsecureAllowed: Bool
    var server: ServerOrigin
    var size: Size
    var now: Moment

    var connection = ConnectionStatus()
    /// Who the socket is; nil before the server has said so.
    var identity: Identity?
    var timeline: Timeline

    /// Whether the login is one that is saved, and so is renewed before it expires.
    var staysSignedIn = false
    /// When the login expires, once the server has warned of it.
    var expiry: Timestamp?
    var renewal = RenewalPhase.idle
    /// The user's wish to be nobody is on its way.
    var isLeaving = false
    /// Who was associated last, for the login form.
    var lastEmail: String?
    /// Counts the identities that see different things; an answer to the question of another one is not shown.
    var generation = 0
    var sessions = Listing<UserSession>()
    var people = People()
    var confirmation: Confirmation?
    var theme = ThemeChoice.dark
    var watches = Watches()
    var rooms = Rooms()
    var recording: RecordingStatus?
    /// Of how many events the ones are that are being written to a file.
    var exporting: Int?
    /// The recording that is shown; nil where a server is.
    var replay: ReplayStatus?
    /// For whom an event was explained last, as it was typed.
    var lastExplained: String?

    var focus = Focus.list
    var page: Page?
    /// To where the palette gives the screen back.
    var pageBehind: Page?
    var view = ListPosition()
    /// Where the tabs that are not shown were left.
    var views: [Tab: ListPosition] = [:]
    var isWrapped = false
    /// How far lines that are not wrapped are scrolled to the left.
    var scrolledColumns = 0
    /// What of the list is shown.
    var sieve = Sieve()
    var search: Search?
    var prompt: QueryPrompt?
    var queryLines = QueryLines()
    /// How many messages of others came since the tab of chat was looked at.
    var unreadChat = 0
    var timeMode = TimeMode.clock
    /// Entries by the letters they were given.
    var marks: [Character: Int] = [:]
    /// What the next key names the mark for.
    var awaitedMark: MarkPurpose?
    /// Where the list stood before the last jump.
    var placeBefore: ListPosition?
    var meter = RateMeter()
    var detail = DetailPosition()
    var input = LineEditor(isMultiline: true)
    var message: Message?
    /// Ctrl-C was the last key.
    var isQuitArmed = false

    init(
        server: ServerOrigin, profile: String, size: Size, capabilities: Capabilities, now: Moment,
        buffer: Int = 10_000, isInsecureAllowed: Bool = false, keys: KeyMap = .standard
    ) {
        self.server = server
        self.profile = profile
        self.size = size
        self.capabilities = capabilities
        self.now = now
        self.isInsecureAllowed = isInsecureAllowed
        self.keys = keys
        timeline = Timeline(limit: buffer)
    }

    var isUnicode: Bool { capabilities.isUnicode }

    /// Where a key that is pressed now goes.
    var context: KeyContext { confirmation == nil ? place : .confirmation }

    /// The part of the screen that has the cursor.
    var place: KeyContext {
        switch page {
        case .login: return .form
        case .account: return .account
        case .people: return .people
        case .explanation(let explanation): return explanation.isAsking ? .whom : .explanation
        case .help(let help): return help.isTyping ? .helpSearch : .help
        case .filters: return .filters
        case .palette: return .palette
        case nil: break
        }
        if let prompt { return prompt.purpose == .search ? .search : .filter }
        if awaitedMark != nil { return .mark }
        return switch focus {
        case .list: .list
        case .detail: detail.isOpen ? .detail : .list
        case .input: .input
        }
    }

    /// Who signs messages; nil for nobody.
    var user: UserSummary? { connection.isOnline ? identity?.user : nil }
}

/// How far the renewal of a login has come.
enum RenewalPhase: Hashable, Sendable {
    case idle
    case underWay
    /// It failed, and is tried again.
    /// - Parameter until: in uptime.
    case waiting(until: Duration)
}

/// Which part of the list is in sight: held by entries' numbers, never by rows.
struct ListPosition: Hashable, Sendable {
    /// The newest entry stays in sight.
    var isFollowing = true
    /// The lowest entry in sight while nothing is followed.
    var bottom = 0
    /// The selected entry while nothing is followed.
    var selected = 0
    /// The newest entry when the list was held.
    var heldAt = 0
}

/// What the detail pane shows, and from where.
struct DetailPosition: Hashable, Sendable {
    var isOpen = false
    /// The first row in sight.
    var top = 0
    /// The row that keys are about.
    var cursor = 0
    var form = DetailForm.json
    /// What of the row is not shown.
    var folded: Set<JSONPath> = []
    /// Another version of the selected row than the selected one.
    var version: Int?
}

/// Where the connection stands, and what a reader wants to know of it.
struct ConnectionStatus: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        case connecting(attempt: Int)
        case online(socketID: String)
        /// - Parameter until: when the next attempt comes, in uptime.
        case waiting(until: Duration, attempt: Int)
        case closed
    }

    /// A connection that came back.
    struct Return: Hashable, Sendable {
        /// The entry that tells it.
        var entry: Int
        var text: String
        var hasGap = false
    }

    var phase = Phase.connecting(attempt: 1)
    var latency: Duration?
    /// When the next round trip is measured, in uptime; nil while one is on its way.
    var measuresAt: Duration?
    /// When the last connection was lost, in uptime.
    var lostAt: Duration?
    /// Why there is no connection, as it was told last.
    var trouble: String?
    /// Until the server has answered whether it had everything since the loss.
    var comingBack: Return?

    var isOnline: Bool {
        if case .online = phase { true } else { false }
    }
}

extension ScreenState {
    /// The selected entry; nil where there is none.
    var selected: Int? {
        view.isFollowing ? lastShown : shown(at: view.selected)
    }

    /// The lowest entry in sight; nil where there is none.
    var bottom: Int? {
        view.isFollowing ? lastShown : shown(at: view.bottom)
    }

    /// The entry that the detail pane is about.
    var detailed: Int? {
        if let version = detail.version, timeline[version] != nil { return version }
        return selected
    }

    /// How many events came since the list was held, and how many of these match the filters.
    var newBelow: (matching: Int, all: Int) {
        guard !view.isFollowing else { return (0, 0) }
        return sieve.counts(after: view.heldAt)
    }

    /// When something changes with nothing happening, in uptime; nil where nothing will.
    var nextTick: Duration? { [nextDeadline, clockTick].compactMap { $0 }.min() }

    /// When something is to be done, or to be counted down; nil where nothing is.
    var nextDeadline: Duration? {
        [connectionTick, expiryTick, pageTick, renewalTick].compactMap { $0 }.min()
    }

    /// The countdown to the login's end is told in whole seconds where it is near.
    private var expiryTick: Duration? {
        guard let left = timeToExpiry, left > .zero else { return nil }
        let isNear = expiry != nil || place == .account && left < .seconds(120)
        guard isNear else { return nil }
        let (_, attoseconds) = left.components
        return now.uptime
            + (attoseconds > 0 ? Duration(secondsComponent: 0, attosecondsComponent: attoseconds) : .seconds(1))
    }

    private var pageTick: Duration? {
        guard connection.isOnline else { return nil }
        switch page {
        case .account: return sessions.reloadsAt
        case .people: return people.sockets.reloadsAt
        case .login, .explanation, .filters, .help, .palette, nil: return nil
        }
    }

    private var renewalTick: Duration? {
        if connection.isOnline, case .waiting(let until) = renewal { until } else { nil }
    }

    private var connectionTick: Duration? {
        switch connection.phase {
        case .waiting(let until, _):
            // The countdown is told in whole seconds.
            let left = until - now.uptime
            guard left > .zero else { return nil }
            let (seconds, attoseconds) = left.components
            return until - .seconds(attoseconds > 0 ? seconds : seconds - 1)
        case .online: return connection.measuresAt
        case .connecting, .closed: return nil
        }
    }
}
