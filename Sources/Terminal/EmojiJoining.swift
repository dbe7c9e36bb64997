/// What a terminal makes of emoji sequences, and what it is sent so that they never take more than two columns.
///
/// A family is five code points. Terminals that know joining draw it as one picture in two columns; the others put
/// three pictures side by side, and would push the rest of the row four columns to the right.
public struct EmojiJoining: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Sequences joined by U+200D are drawn as one.
    public static let sequences = EmojiJoining(rawValue: 1)
    /// A skin tone is drawn on the emoji before it.
    public static let skinTones = EmojiJoining(rawValue: 2)

    static let joiner: Unicode.Scalar = "\u{200D}"
    static let presentationSelector: Unicode.Scalar = "\u{FE0F}"

    /// What the terminal that a process runs in is known to do; nothing for one that is not known, since an emoji
    /// without its skin tone does less harm than a torn row.
    public static func known(environment: [String: String]) -> EmojiJoining {
        let all: EmojiJoining = [.sequences, .skinTones]
        let term = environment["TERM"] ?? ""
        // First: inside tmux the other variables tell of the terminal around it, or of one that is long gone.
        if environment["TMUX"] != nil || environment["TERM_PROGRAM"] == "tmux" { return .sequences }
        if term.hasPrefix("screen") || term.hasPrefix("tmux") { return [] }
        switch environment["TERM_PROGRAM"] {
        case "iTerm.app", "WezTerm", "ghostty": return all
        default: break
        }
        return ["xterm-kitty", "xterm-ghostty", "foot", "foot-extra", "wezterm"].contains(term) ? all : []
    }

    /// `glyph` without what this terminal would draw beside it in place of on it.
    func reduce(_ glyph: String) -> String {
        guard glyph.utf8.count > 4 else { return glyph }
        var kept = String.UnicodeScalarView()
        for (position, scalar) in glyph.unicodeScalars.enumerated() {
            if scalar == Self.joiner, !contains(.sequences), kept.first?.properties.isEmoji == true { break }
            if position > 0, scalar.properties.isEmojiModifier, !contains(.skinTones) { continue }
            kept.append(scalar)
        }
        return String(kept)
    }
}
