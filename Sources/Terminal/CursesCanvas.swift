import CNcurses
import Glibc

/// Puts frames on the open curses screen, and remembers what is on it.
@MainActor
struct CursesCanvas {
    private var palette: CursesPalette
    private let encoder: CellEncoder
    private let wrapsAtOnce: Bool
    /// `nil` where nothing is known of what is on the screen.
    private var shown: CellBuffer?
    private var cursor: Position?
    private var isCursorVisible: Bool?

    init(_ palette: CursesPalette, _ encoder: CellEncoder, wrapsAtOnce: Bool) {
        self.palette = palette
        self.encoder = encoder
        self.wrapsAtOnce = wrapsAtOnce
    }

    mutating func resize(to size: Size) {
        if cn_lines() != CInt(size.rows) || cn_columns() != CInt(size.columns) {
            _ = resizeterm(CInt(size.rows), CInt(size.columns))
        }
        forget()
    }

    /// Something else may have written to the screen: the next frame is painted from the first cell to the last.
    mutating func forget() {
        shown = nil
        isCursorVisible = nil
        _ = clearok(cn_stdscr(), true)
    }

    /// Paints what differs. `frame` has the screen's size, and `cursor` is inside.
    mutating func paint(_ frame: CellBuffer, cursor wantedCursor: Position?) {
        let changes = frame.changes(since: shown)
        guard !changes.isEmpty || shown == nil || wantedCursor != cursor else { return }
        let isVisible = wantedCursor != nil
        if isVisible != isCursorVisible {
            _ = curs_set(isVisible ? 1 : 0)
            isCursorVisible = isVisible
        }
        for run in changes { stage(run, of: frame) }
        // A hidden cursor stays: moving it would be bytes for nothing.
        let place = wantedCursor ?? cursor ?? Position(row: 0, column: 0)
        _ = wmove(cn_stdscr(), CInt(place.row), CInt(place.column))
        _ = wrefresh(cn_stdscr())
        // In a row that changed at all curses may have painted any cell anew, blanks over what it does not know of.
        var rows = changes.map(\.row)[...]
        var address = Addressing()
        while let row = rows.popFirst() {
            rows = rows.drop { $0 == row }
            writeAddressed(row: row, of: frame, &address)
        }
        address.finish(at: place)
        shown = frame
        cursor = wantedCursor ?? cursor
    }

    /// Hands curses one run of cells.
    private mutating func stage(_ run: ChangedRun, of frame: CellBuffer) {
        var inks: [cchar_t] = []
        inks.reserveCapacity(run.columns.count)
        var lastLook: (packed: PackedLook, look: CursesPalette.Look)?
        for column in run.columns {
            let packed = frame.cells[run.row * frame.size.columns + column]
            guard packed.width > 0 else { continue }
            // Neighbours mostly look alike.
            let look =
                if let lastLook, lastLook.packed == packed.look { lastLook.look } else {
                    palette.look(of: packed.look.style)
                }
            lastLook = (packed.look, look)
            if 0x20..<0x7F ~= packed.glyph {
                inks.append(Self.ink(packed.glyph, look))
                continue
            }
            let cell = frame[Position(row: run.row, column: column)]
            switch encoder.ink(for: cell) {
            case .curses(let scalars):
                inks.append(Self.ink(scalars, look))
            case .addressed:
                // Not spaces: another frame's spaces would then look unchanged to curses, and not wipe the cluster off.
                // No frame holds this character, see `DisplayClusters`.
                for _ in 0..<cell.width { inks.append(Self.ink(["\u{A0}"], look)) }
            case .missing:
                inks.append(Self.ink(["?"], look))
                if cell.width == 2 { inks.append(Self.ink([" "], look)) }
            }
        }
        _ = wmove(cn_stdscr(), CInt(run.row), CInt(run.columns.lowerBound))
        _ = wadd_wchnstr(cn_stdscr(), inks, CInt(inks.count))
    }

    private static func ink(_ scalar: UInt32, _ look: CursesPalette.Look) -> cchar_t {
        var ink = cchar_t()
        var pair = look.pair
        withUnsafeTemporaryAllocation(of: wchar_t.self, capacity: 2) { characters in
            characters[0] = wchar_t(bitPattern: scalar)
            characters[1] = 0
            _ = setcchar(&ink, characters.baseAddress, look.attributes, Int16(clamping: pair), &pair)
        }
        return ink
    }

    private static func ink(_ scalars: [Unicode.Scalar], _ look: CursesPalette.Look) -> cchar_t {
        var ink = cchar_t()
        var pair = look.pair
        var characters = scalars.map { wchar_t(bitPattern: $0.value) }
        characters.append(0)
        _ = setcchar(&ink, characters, look.attributes, Int16(clamping: pair), &pair)
        return ink
    }

    /// Writes what curses was not shown of this row.
    private mutating func writeAddressed(row: Int, of frame: CellBuffer, _ address: inout Addressing) {
        for column in 0..<frame.size.columns where frame.cells[row * frame.size.columns + column].glyph > 0x7F {
            let cell = frame[Position(row: row, column: column)]
            guard case .addressed(let text, let ground) = encoder.ink(for: cell) else { continue }
            let isLast = row == frame.size.rows - 1 && column + Int(cell.width) == frame.size.columns
            if isLast, wrapsAtOnce { continue }
            address.write(text, over: ground, palette.look(of: cell.style), row: row, column: column)
        }
    }
}

/// Writes past curses, and leaves the terminal the way curses believes it to be.
@MainActor
private struct Addressing {
    private var hasWritten = false

    mutating func write(_ text: String, over ground: String, _ look: CursesPalette.Look, row: Int, column: Int) {
        hasWritten = true
        move(row, column)
        _ = cn_set_attributes(look.attributes, look.pair)
        // What stood there may have been wider than this terminal draws what comes now.
        _ = fputs(ground, cn_stdout())
        move(row, column)
        _ = fputs(text, cn_stdout())
    }

    /// Back to where curses left the cursor.
    mutating func finish(at place: Position) {
        guard hasWritten else { return }
        _ = cn_set_attributes(0, 0)
        move(place.row, place.column)
        _ = fflush(cn_stdout())
    }

    private func move(_ row: Int, _ column: Int) {
        guard let capability = cn_capability("cup") else { return }
        _ = putp(cn_expand(capability, CInt(row), CInt(column)))
    }
}
