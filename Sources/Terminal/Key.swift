/// A key, with the modifiers held down: what a key table binds.
///
/// ```swift
/// switch key {
/// case .enter: send()
/// case .control("c"): cancel()
/// case .alt("1"): showTab(1)
/// case .function(5): reconnect()
/// default: if let character = key.text { insert(character) }
/// }
/// ```
public struct Key: Hashable, Sendable {
    /// Which key.
    public enum Code: Hashable, Sendable {
        /// What the key types. With ``Modifiers/control`` always the lower-case letter: terminals send one code for
        /// both.
        case character(Character)
        case enter
        case escape
        case tab
        case backspace
        case delete
        case insert
        case up
        case down
        case left
        case right
        case home
        case end
        case pageUp
        case pageDown
        /// F1 is 1.
        case function(Int)
    }

    /// Keys held down. Terminals tell of few combinations: Shift is known with named keys only, in a character it is
    /// the character.
    public struct Modifiers: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let shift = Modifiers(rawValue: 1)
        /// Also Meta, and Option where the terminal is told so.
        public static let alt = Modifiers(rawValue: 2)
        public static let control = Modifiers(rawValue: 4)
    }

    public var code: Code
    public var modifiers: Modifiers

    public init(_ code: Code, _ modifiers: Modifiers = []) {
        self.code = code
        self.modifiers = modifiers
    }

    /// The character to insert where the user is typing; `nil` for a command.
    public var text: Character? {
        guard case .character(let character) = code, modifiers.isDisjoint(with: [.alt, .control]) else { return nil }
        return character
    }

    /// The same with these held down as well.
    public func adding(_ modifiers: Modifiers) -> Key {
        Key(code, self.modifiers.union(modifiers))
    }

    public static func character(_ character: Character) -> Key { Key(.character(character)) }
    /// `character` is a lower-case letter, a space, or one of `@ [ \ ] ^ _`. Ctrl-I, Ctrl-M and Ctrl-[ do not exist:
    /// they are ``tab``, ``enter`` and ``escape``; Ctrl-H is ``backspace``.
    public static func control(_ character: Character) -> Key { Key(.character(character), .control) }
    public static func alt(_ character: Character) -> Key { Key(.character(character), .alt) }
    public static func alt(_ key: Key) -> Key { key.adding(.alt) }
    public static func shift(_ key: Key) -> Key { key.adding(.shift) }
    public static func control(_ key: Key) -> Key { key.adding(.control) }
    /// F1 is 1.
    public static func function(_ number: Int) -> Key { Key(.function(number)) }

    public static let enter = Key(.enter)
    public static let escape = Key(.escape)
    public static let tab = Key(.tab)
    /// Shift-Tab.
    public static let backTab = Key(.tab, .shift)
    public static let backspace = Key(.backspace)
    public static let delete = Key(.delete)
    public static let insert = Key(.insert)
    public static let up = Key(.up)
    public static let down = Key(.down)
    public static let left = Key(.left)
    public static let right = Key(.right)
    public static let home = Key(.home)
    public static let end = Key(.end)
    public static let pageUp = Key(.pageUp)
    public static let pageDown = Key(.pageDown)
    public static let space = Key(.character(" "))
}
