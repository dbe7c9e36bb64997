/// A screenful of cells: what a view draws into and a ``Screen`` shows. Pure data.
///
/// Whatever is drawn, these hold: a wide cell is followed in its row by its right half, in the same style, and a right
/// half stands nowhere else; no cell holds a control. Drawing over one half of a wide cell leaves a space in the other.
/// Everything is clipped to the buffer; no position or extent is an error.
public struct CellBuffer: Sendable {
    public let size: Size
    /// Row by row.
    private(set) var cells: [PackedCell]
    /// The clusters of several code points that have been drawn here, those that are covered by now included.
    private var clusters: [String] = []

    /// Spaces everywhere.
    public init(_ size: Size, _ style: Style = .plain) {
        self.size = size
        cells = Array(repeating: .blank(PackedLook(style)), count: size.columns * size.rows)
    }

    /// The cell at a place; a plain space outside the buffer.
    public subscript(_ position: Position) -> Cell {
        guard let index = index(position.row, position.column) else { return Cell(" ", width: 1, .plain) }
        return cell(index)
    }

    /// The cells of one row, left to right; none outside the buffer.
    public func row(_ row: Int) -> [Cell] {
        indices(ofRow: row).map(cell)
    }

    /// What a reader sees in one row, without its looks and without the spaces at its end.
    public func text(row: Int) -> String {
        let row = indices(ofRow: row)
        let end = row.last { cells[$0].glyph != 0x20 }.map { $0 + 1 } ?? row.lowerBound
        return (row.lowerBound..<end).reduce(into: "") { $0 += text(cells[$1]) }
    }

    private func indices(ofRow row: Int) -> Range<Int> {
        guard row >= 0, row < size.rows else { return 0..<0 }
        return (row * size.columns)..<((row + 1) * size.columns)
    }

    private func cell(_ index: Int) -> Cell {
        Cell(text(cells[index]), width: Int(cells[index].width), cells[index].look.style)
    }

    private func text(_ cell: PackedCell) -> String {
        if let cluster = cell.cluster { return clusters[cluster] }
        if cell.width == 0 { return "" }
        return Unicode.Scalar(cell.glyph).map { String($0) } ?? ""
    }

    /// Whether the same stands at a place of another buffer of this size.
    func isSame(_ index: Int, in other: CellBuffer) -> Bool {
        let (cell, otherCell) = (cells[index], other.cells[index])
        guard let cluster = cell.cluster, let otherCluster = otherCell.cluster else { return cell == otherCell }
        return cell.look == otherCell.look && cell.width == otherCell.width
            && clusters[cluster] == other.clusters[otherCluster]
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
        let look = PackedLook(style)
        release(index)
        cells[index] = PackedCell(glyph: glyph(text), look: look, width: Int8(width))
        if width == 2 {
            release(index + 1)
            cells[index + 1] = .continuation(look)
        }
    }

    private mutating func glyph(_ text: String) -> UInt32 {
        let scalars = text.unicodeScalars
        if let first = scalars.first, scalars.index(after: scalars.startIndex) == scalars.endIndex {
            return first.value
        }
        clusters.append(text)
        return PackedCell.firstCluster + UInt32(clusters.count - 1)
    }

    /// Writes printable ASCII, a cell for each byte. The caller has clipped it.
    mutating func set(_ plain: UnsafeBufferPointer<UInt8>, _ style: Style, row: Int, column: Int) {
        let look = PackedLook(style)
        var index = row * size.columns + column
        for byte in plain {
            release(index)
            cells[index] = PackedCell(glyph: UInt32(byte), look: look, width: 1)
            index += 1
        }
    }

    /// Makes a space of the other half of a wide cell at `index`, which is about to be overwritten.
    private mutating func release(_ index: Int) {
        switch cells[index].width {
        case 0: cells[index - 1] = .blank(cells[index - 1].look)
        case 2: cells[index + 1] = .blank(cells[index + 1].look)
        default: break
        }
    }

    /// Changes the look of what stands in `rect`, leaving the text. A wide cell that is half inside changes whole.
    public mutating func restyle(_ rect: Rect, _ change: (inout Style) -> Void) {
        let rect = rect.intersection(Rect(size))
        for row in rect.rowRange {
            for column in rect.columnRange {
                let index = row * size.columns + column
                var style = cells[index].look.style
                change(&style)
                let look = PackedLook(style)
                cells[index].look = look
                if cells[index].width == 0, column == rect.column { cells[index - 1].look = look }
                if cells[index].width == 2, column + 1 == rect.columnRange.upperBound { cells[index + 1].look = look }
            }
        }
    }
}

extension CellBuffer: Hashable {
    public static func == (left: CellBuffer, right: CellBuffer) -> Bool {
        left.size == right.size && left.cells.indices.allSatisfy { left.isSame($0, in: right) }
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(size)
        for index in cells.indices { hasher.combine(cell(index)) }
    }
}
