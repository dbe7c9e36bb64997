import Terminal

/// How things look. Colours only repeat what signs and words say.
enum Theme {
    static let online = Style(.green, on: .default, .bold)
    static let waiting = Style(.yellow, on: .default, .bold)
    static let offline = Style(.red, on: .default, .bold)
    static let identity = Style(.default, on: .default, .bold)
    static let nobody = Style(.yellow)
    static let faint = Style(.default, on: .default, .dim)
    static let border = Style(.brightBlack)
    static let heading = Style(.cyan, on: .default, .bold)
    static let alarm = Style(.red, on: .default, .bold)
    static let mode = Style(.default, on: .default, [.bold, .reverse])
    static let selection = Style(.default, on: .default, .reverse)
    static let hit = Style(.yellow, on: .default, [.bold, .reverse])
    static let key = Style(.default, on: .default, .bold)
    static let added = Style(.green)
    static let removed = Style(.red)
    static let name = Style(.cyan)

    static func mark(_ mark: Entry.Mark) -> Style {
        switch mark {
        case .created: Style(.green, on: .default, .bold)
        case .updated: Style(.yellow, on: .default, .bold)
        case .removed: Style(.red, on: .default, .bold)
        case .chat: Style(.cyan, on: .default, .bold)
        case .alarm: Style(.red, on: .default, [.bold, .reverse])
        case .notice: Style(.blue, on: .default, .bold)
        }
    }
}
