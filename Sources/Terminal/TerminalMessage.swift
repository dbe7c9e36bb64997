import Base64Coding

/// What a program can tell a terminal besides what to draw.
///
/// There is no way to send raw bytes: whatever the texts hold, they can't end their sequence or begin another one.
public enum TerminalMessage: Hashable, Sendable {
    /// Puts text into the user's clipboard (OSC 52).
    case clipboard(String)
    /// Shows a notification on the desktop, as the terminal's ``Capabilities/notifications`` allow.
    case notification(title: String, body: String)
}

/// How a terminal is told to notify.
public enum NotificationStyle: Hashable, Sendable {
    /// It has no way, or is not known to have one.
    case none
    /// One text (iTerm2's OSC 9).
    case osc9
    /// A title and a text (rxvt's OSC 777).
    case osc777

    /// What the terminal that a process runs in is known to have.
    public static func known(environment: [String: String]) -> NotificationStyle {
        let term = environment["TERM"] ?? ""
        // tmux and screen keep them from the terminal around.
        if environment["TMUX"] != nil || term.hasPrefix("screen") || term.hasPrefix("tmux") { return .none }
        switch environment["TERM_PROGRAM"] {
        case "iTerm.app", "WezTerm", "ghostty": return .osc9
        default: break
        }
        switch term {
        case "xterm-kitty", "xterm-ghostty", "wezterm": return .osc9
        case "foot", "foot-extra": return .osc777
        default: return term.hasPrefix("rxvt-unicode") || environment["VTE_VERSION"] != nil ? .osc777 : .none
        }
    }
}

/// What stands between a program and the terminal, and keeps sequences that it does not know from it.
public enum Multiplexer: Hashable, Sendable {
    case none
    case tmux
    case screen

    /// What a process runs in.
    public static func known(environment: [String: String]) -> Multiplexer {
        let term = environment["TERM"] ?? ""
        if environment["TMUX"] != nil || term.hasPrefix("tmux") { return .tmux }
        return environment["STY"] != nil || term.hasPrefix("screen") ? .screen : .none
    }

    /// The most bytes that GNU screen takes for one string of a terminal, of the 256 that its oldest versions have.
    private static let screenPiece = 240

    /// A sequence wrapped up so that it is handed on as it is.
    ///
    /// tmux does so where `allow-passthrough` is on; where `set-clipboard` is, it obeys the plain sequence itself, so
    /// both are sent. GNU screen hands everything on, in pieces.
    func wrapping(_ sequence: [UInt8]) -> [UInt8] {
        switch self {
        case .none: return sequence
        case .tmux:
            // Inside, an escape is written twice.
            let doubled = sequence.flatMap { $0 == 0x1B ? [0x1B, 0x1B] : [$0] }
            return sequence + Array("\u{1B}Ptmux;".utf8) + doubled + Array("\u{1B}\\".utf8)
        case .screen:
            var wrapped: [UInt8] = []
            var rest = sequence[...]
            while !rest.isEmpty {
                wrapped += Array("\u{1B}P".utf8) + rest.prefix(Self.screenPiece) + Array("\u{1B}\\".utf8)
                rest = rest.dropFirst(Self.screenPiece)
            }
            return wrapped
        }
    }
}

extension TerminalMessage {
    /// The most bytes of text for the clipboard: xterm takes 100,000 characters of base64, which are 74,994 bytes.
    public static let longestClipboard = 74_994
    /// The most columns of a notification's title, and of its text; longer ones are shortened.
    public static let longestNotification = 200

    /// The bytes to send; `nil` where the text is too long or `style` has no way to say it.
    func encoded(for style: NotificationStyle, through multiplexer: Multiplexer = .none) -> [UInt8]? {
        switch self {
        case .clipboard(let text):
            guard text.utf8.count <= Self.longestClipboard else { return nil }
            return multiplexer.wrapping(Array("\u{1B}]52;c;".utf8) + Base64.encode(text.utf8).utf8 + [0x07])
        case .notification(let title, let body):
            switch style {
            case .none:
                return nil
            case .osc9:
                let text = title.isEmpty ? body : "\(title): \(body)"
                return Array("\u{1B}]9;".utf8) + Self.shown(text, besides: "") + [0x07]
            case .osc777:
                let fields = Self.shown(title, besides: ";") + [0x3B] + Self.shown(body, besides: "")
                return Array("\u{1B}]777;notify;".utf8) + fields + [0x07]
            }
        }
    }

    /// One line without controls; `besides` are characters that would end the field.
    private static func shown(_ text: String, besides: String) -> [UInt8] {
        let clean = DisplayClusters(text).reduce(into: "") { $0 += $1.glyph }
        let safe = String(clean.map { besides.contains($0) ? "," : $0 })
        let cut = TextFitting.truncated(safe, to: longestNotification)
        // "4;" at the start would be a command of its own: ConEmu's progress bar.
        return Array((cut.first?.isNumber == true ? " " + cut : cut).utf8)
    }
}
