extension Key: LosslessStringConvertible {
    /// The name that a help page shows and a configuration file uses: `a`, `Ctrl-L`, `Alt-1`, `F5`, `Shift-Tab`, `PgUp`.
    public var description: String {
        var name = ""
        if modifiers.contains(.control) { name += "Ctrl-" }
        if modifiers.contains(.alt) { name += "Alt-" }
        if modifiers.contains(.shift) { name += "Shift-" }
        switch code {
        case .character(" "): name += "Space"
        case .character(let character) where modifiers.contains(.control): name += character.uppercased()
        case .character(let character): name.append(character)
        case .function(let number): name += "F\(number)"
        default: name += Self.names.first { $0.code == code }?.name ?? "?"
        }
        return name
    }

    /// Reads a name as ``description`` writes it, in any case but that of a plain character; `C-`, `M-` and `S-` and
    /// the usual other names (`Return`, `Esc`, `PageUp` …) are understood as well. `nil` where it names no key.
    public init?(_ description: String) {
        var rest = Substring(description)
        var modifiers: Modifiers = []
        while let (modifier, length) = Self.prefixes.lazy
            .filter({ rest.count > $0.name.count && rest.lowercased().hasPrefix($0.name) })
            .map({ ($0.modifier, $0.name.count) }).first
        {
            modifiers.insert(modifier)
            rest = rest.dropFirst(length)
        }
        guard let code = Self.code(named: rest, modifiers) else { return nil }
        self.init(code, modifiers)
    }

    private static func code(named name: Substring, _ modifiers: Modifiers) -> Code? {
        if let character = name.first, name.count == 1 {
            guard character != " ", !modifiers.contains(.shift) else { return nil }
            guard modifiers.contains(.control) else { return .character(character) }
            guard let lower = character.lowercased().first, isControllable(lower) else { return nil }
            return .character(lower)
        }
        let folded = name.lowercased()
        if folded == "space" { return modifiers.contains(.shift) ? nil : .character(" ") }
        if let code = names.first(where: { $0.name.lowercased() == folded })?.code { return code }
        if let code = otherNames[folded] { return code }
        if folded.hasPrefix("f"), let number = Int(folded.dropFirst()), functionNumbers.contains(number) {
            return .function(number)
        }
        return nil
    }

    /// Whether Ctrl with this character is a key of its own on a terminal.
    private static func isControllable(_ character: Character) -> Bool {
        switch character {
        case "i", "m", "h", "[": false
        case "a"..."z", "@", "\\", "]", "^", "_": character.isASCII
        default: false
        }
    }

    static let functionNumbers = 1...24

    private static let prefixes: [(name: String, modifier: Modifiers)] = [
        ("ctrl-", .control), ("control-", .control), ("c-", .control),
        ("alt-", .alt), ("meta-", .alt), ("m-", .alt),
        ("shift-", .shift), ("s-", .shift),
    ]

    private static let names: [(code: Code, name: String)] = [
        (.enter, "Enter"), (.escape, "Esc"), (.tab, "Tab"), (.backspace, "Backspace"), (.delete, "Del"),
        (.insert, "Ins"), (.up, "Up"), (.down, "Down"), (.left, "Left"), (.right, "Right"), (.home, "Home"),
        (.end, "End"), (.pageUp, "PgUp"), (.pageDown, "PgDn"),
    ]

    private static let otherNames: [String: Code] = [
        "return": .enter, "escape": .escape, "delete": .delete, "insert": .insert, "pageup": .pageUp,
        "page-up": .pageUp, "pagedown": .pageDown, "page-down": .pageDown, "bs": .backspace,
    ]
}
