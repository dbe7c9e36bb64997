import CNcurses
import CTerminalGuard
import Dispatch
import Glibc

/// The terminal that standard input and output are connected to, drawn through curses.
///
/// One at a time in a process. While it is open, curses and this own the terminal's modes, the signals TERM, HUP, INT,
/// QUIT, TSTP, CONT and WINCH, and the crash signals; all of them are given back by ``close()``.
@MainActor
public final class CursesScreen: Screen {
    /// What a caller may decide.
    public struct Options: Sendable {
        /// Whether clicks and the wheel are asked for. While they are, selecting text needs Shift in most terminals.
        public var wantsMouse = true
        /// What the terminal makes of joined emoji; `nil` for what ``EmojiJoining/known(environment:)`` says.
        public var emojiJoining: EmojiJoining?
        /// Whether colours may be used; `nil` for what `NO_COLOR` says (any text in it forbids them).
        public var isColored: Bool?

        public init() {}
    }

    private enum State {
        case active
        /// Handed back by ``suspend()``.
        case suspended
        /// Handed back by ``stopProcess()``.
        case stopping
        case closed
    }

    /// The process's one screen. Kept until it is closed: there is a terminal to restore.
    private static var current: CursesScreen?

    public private(set) var size: Size
    public let capabilities: Capabilities
    public var listener: (@MainActor (TerminalEvent) -> Void)? {
        get { outlet.listener }
        set { outlet.listener = newValue }
    }

    private let multiplexer: Multiplexer
    private let description: TerminalDescription
    private let outlet = TerminalEventOutlet()
    private let handle: OpaquePointer
    private var original: termios
    private var input: TerminalInput?
    private var canvas: CursesCanvas
    private var state = State.active
    private var wanted: (frame: CellBuffer, cursor: Position?)
    /// Counts ``stopProcess()``, so that a late timer does not end the next one.
    private var stops = 0

    /// Takes the terminal.
    ///
    /// - Throws: ``ScreenError``, with the terminal as it was. Print lines instead.
    public static func open(_ options: Options = Options()) throws(ScreenError) -> CursesScreen {
        guard current == nil else { throw .alreadyOpen }
        guard isatty(STDIN_FILENO) == 1 else { throw .notATerminal(standardInput: true) }
        guard isatty(STDOUT_FILENO) == 1 else { throw .notATerminal(standardInput: false) }
        let environment = Self.environment()
        guard let terminal = environment["TERM"], !terminal.isEmpty, terminal != "dumb" else { throw .dumbTerminal }
        return try CursesScreen(terminal, options, environment)
    }

    private init(
        _ terminal: String, _ options: Options, _ environment: [String: String]
    ) throws(ScreenError) {
        let isUnicode = TerminalLocale.adopt(environment: environment)
        let description = try TerminalDescription(terminal: terminal, wantsMouse: options.wantsMouse)
        var original = termios()
        guard tcgetattr(STDIN_FILENO, &original) == 0 else { throw .system(operation: "tcgetattr", number: errno) }
        try Self.arm(description, &original)
        terminal_guard_cover_thread()
        let relay = Relay()
        let input: TerminalInput
        do {
            input = try TerminalInput(decoder: KeyDecoder(sequences: description.keys)) { relay.screen?.heard($0) }
        } catch {
            terminal_guard_disarm()
            throw error
        }
        _ = terminal_guard_set_active(true)
        // Not initscr(), which ends the process where it does not know the terminal.
        guard let handle = newterm(terminal, cn_stdout(), cn_stdin()) else {
            terminal_guard_restore()
            terminal_guard_disarm()
            input.stop()
            throw .unknownTerminal(name: terminal)
        }
        Self.setModes()
        Self.leaveUnseen()
        let palette = CursesPalette(isColored: options.isColored ?? (environment["NO_COLOR"] ?? "").isEmpty)
        let encoder = CellEncoder(
            isUnicode: isUnicode, capacity: Int(cn_cell_capacity),
            joining: options.emojiJoining ?? .known(environment: environment),
            libraryWidth: { Int(cn_width(wchar_t(bitPattern: $0.value))) },
            isEncodable: { cn_encoded_length(wchar_t(bitPattern: $0.value)) > 0 }
        )
        multiplexer = .known(environment: environment)
        self.description = description
        self.original = original
        self.handle = handle
        self.input = input
        size = Self.windowSize() ?? Size(columns: Int(cn_columns()), rows: Int(cn_lines()))
        capabilities = Capabilities(
            colors: palette.depth, isUnicode: isUnicode, hasMouse: description.hasMouse,
            notifications: .known(environment: environment)
        )
        canvas = CursesCanvas(palette, encoder, wrapsAtOnce: description.wrapsAtOnce)
        wanted = (CellBuffer(size), nil)
        canvas.resize(to: size)
        Self.current = self
        relay.screen = self
        Self.write(description.entering)
        input.start()
    }

    // MARK: Frames

    public func present(_ frame: CellBuffer, cursor: Position?) {
        guard state != .closed else { return }
        // The main actor's thread changes: after `dispatch_main` on Linux it is any of Dispatch's.
        terminal_guard_cover_thread()
        wanted = (frame, cursor)
        guard state == .active else { return }
        canvas.paint(frame.fitted(to: size), cursor: cursor.flatMap { Rect(size).contains($0) ? $0 : nil })
    }

    public func repaint() {
        guard state == .active else { return }
        canvas.forget()
        present(wanted.frame, cursor: wanted.cursor)
    }

    public func bell() {
        if state == .active { _ = beep() }
    }

    @discardableResult
    public func send(_ message: TerminalMessage) -> Bool {
        guard state == .active, let bytes = message.encoded(for: capabilities.notifications, through: multiplexer)
        else { return false }
        Self.write(bytes)
        return true
    }

    // MARK: Handing the terminal back

    public func suspend() {
        guard state == .active else { return }
        state = .suspended
        release()
    }

    public func resume() {
        guard state == .suspended else { return }
        take()
    }

    public func stopProcess() {
        guard state == .active else { return }
        state = .stopping
        release()
        stops += 1
        let stop = stops
        guard terminal_guard_stop() else { return continued() }
        // Where nothing stops the process nothing continues it either. A stopped one gets here when it runs again.
        DispatchQueue.main.asyncAfter(deadline: .now() + .milliseconds(200)) { [weak self] in
            MainActor.assumeIsolated {
                if let self, self.stops == stop, self.state == .stopping { self.continued() }
            }
        }
    }

    public func close() {
        guard state != .closed else { return }
        if state == .active { release() }
        state = .closed
        terminal_guard_disarm()
        input?.stop()
        input = nil
        delscreen(handle)
        Self.current = nil
        outlet.end()
    }

    /// Puts everything back as it was found.
    private func release() {
        input?.pause()
        Self.write(description.leaving)
        _ = endwin()
        _ = tcsetattr(STDIN_FILENO, TCSADRAIN, &original)
        _ = terminal_guard_set_active(false)
    }

    private func take() {
        // Whoever had the terminal may have left it in other modes, and will want to find those.
        _ = tcgetattr(STDIN_FILENO, &original)
        try? Self.arm(description, &original)
        _ = terminal_guard_set_active(true)
        _ = reset_prog_mode()
        state = .active
        adoptSize()
        Self.write(description.entering)
        input?.unpause()
        repaint()
    }

    private func continued() {
        terminal_guard_continue()
        take()
        outlet.tell(.resumed)
    }

    // MARK: Events

    private func heard(_ occurrence: TerminalInput.Occurrence) {
        terminal_guard_cover_thread()
        switch occurrence {
        case .events(let events):
            for event in events { outlet.tell(event) }
        case .signal(let number):
            heard(signal: number)
        }
    }

    private func heard(signal number: CInt) {
        switch number {
        case SIGWINCH: if state == .active { adoptSize() }
        case SIGTSTP: stopProcess()
        case SIGCONT:
            switch state {
            case .stopping:
                continued()
            case .active:
                // Stopped without notice. The shell may have set its own modes since.
                _ = reset_prog_mode()
                adoptSize()
                Self.write(description.entering)
                repaint()
                outlet.tell(.resumed)
            case .suspended, .closed:
                break
            }
        case SIGINT: outlet.tell(.signal(.interrupt))
        case SIGTERM: outlet.tell(.signal(.terminate))
        case SIGHUP: outlet.tell(.signal(.hangUp))
        case SIGQUIT: outlet.tell(.signal(.quit))
        default: break
        }
    }

    private func adoptSize() {
        guard let current = Self.windowSize(), current != size else { return }
        size = current
        canvas.resize(to: current)
        outlet.tell(.resize(current))
    }

    // MARK: The terminal

    private static func setModes() {
        let window = cn_stdscr()
        _ = raw()
        _ = noecho()
        _ = nonl()
        _ = intrflush(window, false)
        // Application keys are what terminfo describes; the decoder knows both kinds.
        _ = keypad(window, true)
        // A frame is never left half painted because a key came.
        _ = typeahead(-1)
        // Neither rows nor characters are shifted: that would take along what curses does not know of.
        _ = idlok(window, false)
        idcok(window, false)
        _ = scrollok(window, false)
        _ = leaveok(window, false)
        _ = def_prog_mode()
    }

    /// Until it has been left once, curses (6.4) flushes at each move of the cursor, a dozen times a frame. So it is left
    /// and taken up again here, before anything was drawn, and what it writes for that goes nowhere: among it are bytes
    /// that would take away a user's own palette. The first frame clears the screen and paints every cell.
    private static func leaveUnseen() {
        // What begins the screen is still in the buffer, and is for the terminal.
        _ = curs_set(1)
        let (nowhere, terminal) = (Glibc.open("/dev/null", O_WRONLY | O_CLOEXEC), dup(STDOUT_FILENO))
        if nowhere >= 0, terminal >= 0, dup2(nowhere, STDOUT_FILENO) >= 0 {
            _ = endwin()
            _ = wrefresh(cn_stdscr())
            _ = dup2(terminal, STDOUT_FILENO)
        }
        for descriptor in [nowhere, terminal] where descriptor >= 0 { Glibc.close(descriptor) }
    }

    private static func arm(_ description: TerminalDescription, _ original: inout termios) throws(ScreenError) {
        let number = terminal_guard_arm(
            STDIN_FILENO, &original, description.restoring, description.restoring.count)
        guard number == 0 else { throw .system(operation: "remembering the terminal's modes", number: number) }
    }

    /// curses counts windows in 16 bits, and nobody has a screen of a thousand rows.
    private static func windowSize() -> Size? {
        var window = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 else {
            return nil
        }
        return Size(columns: min(Int(window.ws_col), 1000), rows: min(Int(window.ws_row), 1000))
    }

    private static func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// What of the environment says something about the terminal.
    private static func environment() -> [String: String] {
        var found: [String: String] = [:]
        for name in ["TERM", "TERM_PROGRAM", "TMUX", "STY", "VTE_VERSION", "NO_COLOR", "LC_ALL", "LC_CTYPE", "LANG"] {
            if let value = getenv(name) { found[name] = String(cString: value) }
        }
        return found
    }

    /// Lets the input tell a screen that is not made yet.
    private final class Relay {
        weak var screen: CursesScreen?
    }
}
