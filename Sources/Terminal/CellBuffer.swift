/// One place on the screen.
public struct Cell: Hashable, Sendable {
    /// One display cluster; empty in the right half of a wide one.
    public private(set) var text: String
    public internal(set) var style: Style
    /// 1 or 2; 0 in the right half of a wide cell.
    public private(set) var width: Int8

    init(_ text: String, width: Int, _ style: Style) {
        self.text = text
        self.width = Int8(width)
        self.style = style
    }

    /// A space.
    static func blank(_ style: Style) -> Cell { Cell(" ", width: 1, style) }

    /// The right half of a wide cell.
    static func continuation(_ style: Style) -> Cell { Cell("", width: 0, style) }
}

/// A screenful of cells: what a view draws into and a ``Screen`` shows. Pure data.
///
/// Whatever is drawn, these hold: a wide cell is followed in its row by its right half, in the same style, and a right
/// half stands nowhere else; no cell holds a control. Drawing over one half of a wide cell leaves a space in the other.
/// Everything is clipped to the buffer; no position or extent is an error.
public struct CellBuffer: Hashable, Sendable {
    public let size: Size
    /// Row by row.
    private(set) var cells: [Cell]

    /// Spaces everywhere.
    public init(_ size: Size, _ style: Style = .plain) {
        self.size = size
        cells = Array(repeating: .blank(style), count: size.columns * size.rows)
    }

    /// The cell at a place; a plain space outside the buffer.
    public subscript(_ position: Position) -> Cell {
        guard let index = index(position.row, position.column) else { return .blank(.plain) }
        return cells[index]
    }

    /// The cells of one row, left to right; none outside the buffer.
    public func row(_ row: Int) -> ArraySlice<Cell> {
        guard row >= 0, row < size.rows else { return [] }
        return cells[(row * size.columns)..<((row + 1) * size.columns)]
    }

    /// What a reader sees in one row, without its looks and without the spaces at its end.
    public func text(row: Int) -> String {
        let cells = self.row(row)
        let end = cells.lastIndex { $0.text != " " }.map { $0 + 1 } ?? cells.startIndex
        return cells[..<end].reduce(into: "") { $0 += $1.text }
    }

    /// What a reader sees, one line a row.
    public var text: String {
        (0..<size.rows).map { text(row: $0) }.joined(separator: "\n")
    }

    private func index(_ row: Int, _ column: Int) -> Int? {
        guard row >= 0, row < size.rows, column >= 0, column < size.columns else { return nil }
        return row * size.columns + column
    }

    /// Writes one cluster. The caller has clipped it: all of its columns are inside.
    mutating func set(_ text: String, width: Int, _ style: Style, row: Int, column: Int) {
        let index = row * size.columns + column
        release(index)
        cells[index] = Cell(text, width: width, style)
        if width == 2 {
            release(index + 1)
            cells[index + 1] = .continuation(style)
        }
    }

    /// Writes printable ASCII, a cell for each byte. The caller has clipped it.
    mutating func set(_ plain: some Collection<UInt8>, _ style: Style, row: Int, column: Int) {
        let ascii = DisplayClusters.ascii
        var index = row * size.columns + column
        for byte in plain {
            release(index)
            cells[index] = Cell(ascii[Int(byte)], width: 1, style)
            index += 1
        }
    }

    /// Makes a space of the other half of a wide cell at `index`, which is about to be overwritten.
    private mutating func release(_ index: Int) {
        switch cells[index].width {
        case 0: cells[index - 1] = .blank(cells[index - 1].style)
        case 2: cells[index + 1] = .blank(cells[index + 1].style)
        default: break
        }
    }

    /// Changes the look of what stands in `rect`, leaving the text. A wide cell that is half inside changes whole.
    public mutating func restyle(_ rect: Rect, _ change: (inout Style) -> Void) {
        let rect = rect.intersection(Rect(size))
        for row in rect.rowRange {
            for column in rect.columnRange {
                let index = row * size.columns + column
                change(&cells[index].style)
                if cells[index].width == 0, column == rect.column { cells[index - 1].style = cells[index].style }
                if cells[index].width == 2, column + 1 == rect.columnRange.upperBound {
                    cells[index + 1].style = cells[index].style
                }
            }
        }
    }
}
