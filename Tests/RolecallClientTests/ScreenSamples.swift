import RolecallProtocol
import Terminal
import WireJSON

@testable import RolecallClient

/// A screen's state under a test's hands.
struct Stage {
    var state: ScreenState
    private(set) var effects: [Effect] = []
    private var uptime = Duration.zero

    init(columns: Int = 80, rows: Int = 24, buffer: Int = 10_000, isUnicode: Bool = true) {
        state = ScreenState(
            server: .default, profile: "default", size: Size(columns: columns, rows: rows),
            capabilities: Capabilities(isUnicode: isUnicode), now: Moment(uptime: .zero, wall: Stage.wall),
            buffer: buffer)
    }

    /// Somebody is signed in, and things have happened.
    static func busy(columns: Int = 80, rows: Int = 24) -> Stage {
        var stage = Stage(columns: columns, rows: rows)
        stage.connect(as: ann)
        stage.tell(
            .event(event(1, .created, row: ["_id": 12, "name": "boiler 3", "info": "ok", "active": true])),
            .event(event(2, row: ["_id": 12, "name": "boiler 3", "info": "leak", "active": true], changed: ["info"])),
            .event(chat(3, "hello from the control room, this line wraps under its own text")),
            .event(event(4, .removed, row: ["_id": 9])))
        return stage
    }

    static let wall = Timestamp("2026-11-22T13:00:00.000Z") ?? Timestamp(milliseconds: 0)

    @discardableResult
    mutating func act(_ action: Action) -> [Effect] {
        let now = Moment(uptime: uptime, wall: Stage.wall)
        let new = state.reduce(action, at: now)
        effects += new
        return new
    }

    @discardableResult
    mutating func press(_ keys: Key...) -> [Effect] {
        keys.flatMap { act(.key($0)) }
    }

    mutating func type(_ text: String) {
        for character in text { act(.key(.character(character))) }
    }

    mutating func tell(_ notices: Notice...) {
        for notice in notices { act(.notice(notice)) }
    }

    mutating func connect(as user: UserSummary?, reason: IdentityReason = .cookie) {
        tell(
            .state(.connecting(attempt: 1)), .state(.online(socketID: "7fQ2kXb9")),
            .identity(identity(user, reason: reason), position(1)))
    }

    mutating func pass(_ time: Duration) {
        uptime += time
        act(.tick)
    }

    mutating func resize(_ columns: Int, _ rows: Int) {
        act(.resize(Size(columns: columns, rows: rows)))
    }

    /// What a reader sees, row by row.
    var rows: [String] {
        let cells = ScreenView.frame(state).cells
        return (0..<cells.size.rows).map { cells.text(row: $0) }
    }

    var screen: String { rows.joined(separator: "\n") }

    /// The row that holds a text; empty where none does.
    func row(_ text: String) -> String { rows.first { $0.contains(text) } ?? "" }
}

func chat(_ sequence: Int64, _ body: String) -> ModelEvent {
    event(sequence, model: "message", .created, row: ["_id": .integer(sequence), "body": .string(body)], changed: [])
}

extension Stage {
    /// Which entries are in sight.
    var shownEntries: [Int] {
        ListWindow(state, Layout(state).list).rows.filter { $0.line == 0 }.map(\.entry)
    }
}
