import Terminal

/// Which part of the screen is for what, at any size.
struct Layout: Hashable, Sendable {
    /// Below this there is only room to say so.
    static let smallest = Size(columns: 30, rows: 8)

    enum DetailPlacement: Hashable, Sendable {
        case beside
        case below
        case full
    }

    let size: Size
    /// Where the detail pane would be.
    let placement: DetailPlacement
    let identity: Rect
    /// Where the screen is too small for it, nil.
    let bar: Rect?
    /// Everything between the lines above and those below: list, detail, or a page.
    let main: Rect
    let list: Rect
    /// Nil while it is closed.
    let detail: Rect?
    /// The line between list and detail: a column of them, or a row.
    let divider: Rect?
    let status: Rect
    let footer: Rect
    let input: Rect

    init(_ state: ScreenState) {
        size = state.size
        let (identity, underIdentity) = Rect(size).splitTop(1)
        self.identity = identity
        var rest = underIdentity
        if Self.hasBar(size) {
            let (bar, under) = rest.splitTop(1)
            self.bar = bar
            rest = under
        } else {
            bar = nil
        }
        let lines = InputView.lines(state, width: size.columns).count
        let isAsking = state.prompt != nil && state.page == nil
        let inputRows = isAsking ? 2 : min(lines, max(1, min(8, (size.rows - 4) / 3)))
        (rest, input) = rest.splitBottom(inputRows)
        (rest, footer) = rest.splitBottom(FooterView.height(state, width: size.columns))
        (rest, status) = rest.splitBottom(1)
        main = rest
        placement = size.columns >= 100 ? .beside : size.columns >= 80 && size.rows >= 20 ? .below : .full
        guard state.detail.isOpen else {
            list = rest
            detail = nil
            divider = nil
            return
        }
        switch placement {
        case .beside:
            let (left, right) = rest.splitLeft(rest.columns * 54 / 100)
            list = left
            (divider, detail) = right.splitLeft(1)
        case .below:
            let (upper, lower) = rest.splitTop(rest.rows / 2)
            list = upper
            (divider, detail) = lower.splitTop(1)
        case .full:
            list = Rect(row: rest.row, column: rest.column, rows: 0, columns: rest.columns)
            divider = nil
            detail = rest
        }
    }

    /// Whether there is room for the tabs.
    static func hasBar(_ size: Size) -> Bool { size.columns >= 40 && size.rows >= 16 }

    /// Whether there is room for the filters beside the tabs.
    static func barHoldsFilters(_ size: Size) -> Bool { hasBar(size) && size.columns >= 80 }

    /// Whether there is room for more than a notice.
    var isUsable: Bool { size.columns >= Self.smallest.columns && size.rows >= Self.smallest.rows }
}

/// Which entries are in sight, and how much of each.
struct ListWindow: Hashable, Sendable {
    struct Row: Hashable, Sendable {
        let entry: Int
        /// Which of its lines.
        let line: Int
    }

    /// From the top row to the lowest that is filled.
    let rows: [Row]

    /// Fills the list upward from the entry that the view is held by, and downward where that leaves room.
    init(_ state: ScreenState, _ list: Rect) {
        guard let bottom = state.bottom, list.rows > 0 else {
            rows = []
            return
        }
        var reversed: [Row] = []
        var id: Int? = bottom
        while reversed.count < list.rows, let current = id, let entry = state.timeline[current] {
            let height = EntryView.height(entry, state, width: list.columns)
            for line in (0..<height).reversed() where reversed.count < list.rows {
                reversed.append(Row(entry: current, line: line))
            }
            id = state.shown(before: current)
        }
        var rows = Array(reversed.reversed())
        id = state.shown(after: bottom)
        while rows.count < list.rows, let current = id, let entry = state.timeline[current] {
            let height = EntryView.height(entry, state, width: list.columns)
            for line in 0..<height where rows.count < list.rows { rows.append(Row(entry: current, line: line)) }
            id = state.shown(after: current)
        }
        self.rows = rows
    }
}
