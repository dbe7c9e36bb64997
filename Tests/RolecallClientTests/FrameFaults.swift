import RolecallProtocol
import TestSupport
import Testing

@testable import RolecallClient
@testable import Terminal

/// What holds for every frame, whatever is shown on it.
enum FrameFaults {
    /// What is wrong with the frame of a state, in words.
    ///
    /// - Parameters:
    ///   - known: a frame of the same kind that was looked at; of its rows it is not asked again.
    ///   - isForeign: texts of others may be in sight, which a locale of ASCII can only show with `?` in them.
    static func of(
        _ frame: ScreenView.Frame, _ state: ScreenState, known: CellBuffer? = nil, isForeign: Bool
    ) -> [String] {
        let layout = Layout(state)
        var faults = cells(frame.cells, known, state, isForeign)
        if frame.cells.size != state.size { faults.append("the frame is \(frame.cells.size)") }
        if let cursor = frame.cursor, !Rect(state.size).contains(cursor) { faults.append("the cursor is outside") }
        guard layout.isUsable else { return faults }
        faults += heads(frame.cells, state, layout)
        faults += borders(frame.cells, state, layout)
        faults += cursor(frame, state, layout)
        return faults
    }

    // MARK: Cells

    private static func cells(
        _ buffer: CellBuffer, _ known: CellBuffer?, _ state: ScreenState, _ isForeign: Bool
    ) -> [String] {
        var faults: [String] = []
        for row in 0..<buffer.size.rows where known?.row(row) != buffer.row(row) {
            var wide: Cell?
            var columns = 0
            for cell in buffer.row(row) {
                columns += Int(cell.width)
                if let left = wide {
                    if cell.width != 0 || cell.style != left.style { faults.append("row \(row): half of \(left.text)") }
                    wide = nil
                } else if cell.width == 0 {
                    faults.append("row \(row): a right half without its left one")
                }
                if cell.width == 2 { wide = cell }
                if cell.width != 0, let fault = fault(cell, state, isForeign) { faults.append("row \(row): \(fault)") }
            }
            if wide != nil { faults.append("row \(row): ends in half a character") }
            if columns != buffer.size.columns { faults.append("row \(row): \(columns) columns") }
        }
        return faults
    }

    private static func fault(_ cell: Cell, _ state: ScreenState, _ isForeign: Bool) -> String? {
        if let byte = cell.text.utf8.first, cell.text.utf8.count == 1 {
            return (0x20..<0x7F).contains(byte) && cell.width == 1 ? nil : "the control \(byte)"
        }
        guard !cell.text.isEmpty else { return "nothing in a cell" }
        for (place, scalar) in cell.text.unicodeScalars.enumerated() {
            if isHazard(scalar, in: cell, at: place) { return "U+\(String(scalar.value, radix: 16)) in a cell" }
        }
        // Whoever draws a mark without a letter gives it a base, and so might be asked twice.
        if !cell.text.unicodeScalars.starts(with: ["◌"]), DisplayWidth.of(cell.text) != Int(cell.width) {
            return "\(cell.text) is not \(cell.width) columns"
        }
        guard !state.isUnicode else { return nil }
        switch asciiEncoder.ink(for: cell) {
        case .curses(let scalars): return scalars.allSatisfy(\.isASCII) ? nil : "\(cell.text) where all is ASCII"
        case .addressed: return "\(cell.text) is written as it is where all is ASCII"
        case .missing: return isForeign ? nil : "\(cell.text) is a ? where all is ASCII"
        }
    }

    /// What a terminal might obey, or what hides or counterfeits text.
    private static func isHazard(_ scalar: Unicode.Scalar, in cell: Cell, at place: Int) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate: return true
        // A joiner or a tag belongs to what stands before it; those that turn text around belong nowhere.
        case .format where place == 0: return DisplayWidth.of(scalar) == 0
        case .format: return !scalar.properties.isGraphemeExtend && scalar != "\u{200D}"
        default: return scalar.properties.isNoncharacterCodePoint
        }
    }

    private static var asciiEncoder: CellEncoder {
        CellEncoder(
            isUnicode: false, joining: EmojiJoining(), libraryWidth: { DisplayWidth.of($0) },
            isEncodable: { $0.isASCII })
    }

    /// What colours say besides what is written: nothing.
    static func ofColours(_ frame: ScreenView.Frame, _ state: ScreenState) -> [String] {
        var plain = state
        plain.theme = .mono
        let mono = ScreenView.frame(plain)
        var faults = mono.cells.text == frame.cells.text ? [] : ["without colours it says something else"]
        if mono.cursor != frame.cursor { faults.append("without colours the cursor stands elsewhere") }
        for row in 0..<mono.cells.size.rows {
            for cell in mono.cells.row(row) where cell.style != cell.style.reduced(to: .monochrome) {
                faults.append("row \(row): \(cell.text) has a colour")
            }
        }
        return faults
    }

    // MARK: Lines

    private static func heads(_ cells: CellBuffer, _ state: ScreenState, _ layout: Layout) -> [String] {
        var faults: [String] = []
        let top = cells.text(row: 0)
        let states = state.replay == nil ? ["online", "connecting", "offline"] : ["replay"]
        if !states.contains(where: top.contains) { faults.append("no state of the connection: \(top)") }
        let isSomebody =
            state.identity?.user != nil && (state.connection.isOnline || state.connection.lostAt != nil)
        // A name of marks alone stands on the parenthesis before it.
        let isNamed = top.unicodeScalars.contains("(")
        if isSomebody ? !isNamed : !top.contains("unassociated") {
            faults.append("no identity: \(top)")
        }
        if isSomebody, state.identity?.user?.role == "user", !top.contains("(user)") {
            faults.append("no role: \(top)")
        }
        let footer = cells.text(row: layout.footer.row)
        if !footer.hasPrefix("[\(state.context.title)]") { faults.append("no mode: \(footer)") }
        return faults
    }

    private static func borders(_ cells: CellBuffer, _ state: ScreenState, _ layout: Layout) -> [String] {
        var faults: [String] = []
        let art = state.capabilities.lineArt
        func expect(_ character: Character, _ row: Int, _ column: Int, _ what: String) {
            let text = cells[Position(row: row, column: column)].text
            if text != String(character) { faults.append("\(what) is broken at \(row), \(column) by \(text)") }
        }
        let status = layout.status
        for column in [0, 1, status.columns - 1] { expect(art.horizontal, status.row, column, "the border") }
        guard state.page == nil, let divider = layout.divider else { return faults }
        if layout.placement == .beside {
            for row in divider.rowRange { expect(art.vertical, row, divider.column, "the divider") }
        } else {
            for column in divider.columnRange { expect(art.horizontal, divider.row, column, "the divider") }
        }
        return faults
    }

    // MARK: The cursor

    private static func cursor(_ frame: ScreenView.Frame, _ state: ScreenState, _ layout: Layout) -> [String] {
        let place: Rect
        var isOnSign = false
        switch state.place {
        case .form, .whom, .helpSearch, .palette, .account: place = layout.main
        case .explanation: place = layout.main
        case .people:
            guard !state.people.rows.isEmpty else { return [] }
            (place, isOnSign) = (layout.main, true)
        case .filters:
            guard !state.sieve.filters.isEmpty else { return [] }
            (place, isOnSign) = (layout.main, true)
        case .help: return []
        case .input, .filter, .search: place = layout.input
        case .detail:
            guard let detail = layout.detail else { return ["keys go to a pane that is not there"] }
            place = detail
        case .list, .mark:
            guard state.selected != nil else { return [] }
            // Where the detail takes the list's place, it is the selected entry.
            (place, isOnSign) = layout.list.isEmpty ? (layout.main, false) : (layout.list, true)
        case .anywhere, .confirmation: return []
        }
        guard let cursor = frame.cursor else { return ["no cursor in \(state.place.title)"] }
        guard place.contains(cursor) else { return ["the cursor of \(state.place.title) is at \(cursor)"] }
        let sign = frame.cells[cursor].text
        return isOnSign && sign != ">" ? ["the cursor of \(state.place.title) stands on \(sign)"] : []
    }
}

/// A stage that looks at every frame after every single thing that happens on it.
struct WatchedStage {
    var stage: Stage
    /// Where in its script it is.
    var scene = ""
    /// Texts of others are in sight.
    var isForeign = false
    /// Of several keys that are pressed at once, only the last one's frame is looked at.
    var isHasty = false
    private(set) var frames = 0
    private var known: CellBuffer?

    init(_ size: Size, isUnicode: Bool = true, buffer: Int = 10_000) {
        stage = Stage(columns: size.columns, rows: size.rows, buffer: buffer, isUnicode: isUnicode)
    }

    mutating func look(after what: @autoclosure () -> String, location: SourceLocation = #_sourceLocation) {
        frames += 1
        let frame = ScreenView.frame(stage.state)
        var faults = FrameFaults.of(frame, stage.state, known: known, isForeign: isForeign)
        // That is the same question each time, and takes a frame of its own.
        if frames % 8 == 0 { faults += FrameFaults.ofColours(frame, stage.state) }
        known = frame.cells
        guard !faults.isEmpty else { return }
        Issue.record(
            """
            \(scene), after \(what()), at \(stage.state.size) \(stage.state.isUnicode ? "UTF-8" : "ASCII"):
            \(faults.prefix(5).joined(separator: "\n"))
            \(stage.screen)
            """, sourceLocation: location)
    }

    mutating func act(_ action: Action, location: SourceLocation = #_sourceLocation) {
        stage.act(action)
        look(after: String("\(action)".prefix(200)), location: location)
    }

    mutating func press(_ keys: Key..., location: SourceLocation = #_sourceLocation) {
        for (place, key) in keys.enumerated() {
            stage.press(key)
            if !isHasty || place == keys.count - 1 { look(after: "\(key)", location: location) }
        }
    }

    /// One letter is like another: the frame after every fourth is looked at, and the last one.
    mutating func type(_ text: String, location: SourceLocation = #_sourceLocation) {
        for (place, character) in text.enumerated() {
            stage.press(.character(character))
            if place % 4 == 0 || place == text.count - 1 { look(after: "\(character) of \(text)", location: location) }
        }
    }

    mutating func tell(_ notices: Notice..., location: SourceLocation = #_sourceLocation) {
        for notice in notices { act(.notice(notice), location: location) }
    }

    mutating func pass(_ time: Duration, location: SourceLocation = #_sourceLocation) {
        stage.pass(time)
        look(after: "\(time)", location: location)
    }

    mutating func resize(_ size: Size, location: SourceLocation = #_sourceLocation) {
        stage.resize(size.columns, size.rows)
        look(after: "\(size)", location: location)
    }

    /// Back in the list, with nothing open.
    mutating func leave(location: SourceLocation = #_sourceLocation) {
        for _ in 0..<5 { press(.escape, location: location) }
        press(.end, location: location)
    }
}

extension Size {
    /// Those that the client promises to hold at.
    static let promised = [
        Size(columns: 120, rows: 36), Size(columns: 80, rows: 24), Size(columns: 60, rows: 18),
        Size(columns: 30, rows: 8),
    ]
}
