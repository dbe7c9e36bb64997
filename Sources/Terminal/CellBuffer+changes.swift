/// Neighbouring cells of one row that have to be painted anew.
struct ChangedRun: Hashable, Sendable {
    var row: Int
    var columns: Range<Int>
}

extension CellBuffer {
    /// What has to be painted to turn `shown` into this; everything where `shown` is missing or of another size.
    /// A wide cell is painted whole.
    func changes(since shown: CellBuffer?) -> [ChangedRun] {
        guard let shown, shown.size == size else {
            guard size.columns > 0 else { return [] }
            return (0..<size.rows).map { ChangedRun(row: $0, columns: 0..<size.columns) }
        }
        var runs: [ChangedRun] = []
        for row in 0..<size.rows { appendChanges(of: row, since: shown, to: &runs) }
        return runs
    }

    private func appendChanges(of row: Int, since shown: CellBuffer, to runs: inout [ChangedRun]) {
        let base = row * size.columns
        var column = 0
        while column < size.columns {
            guard !isSame(base + column, in: shown) else {
                column += 1
                continue
            }
            var start = column
            while column < size.columns, !isSame(base + column, in: shown) { column += 1 }
            // Both halves of a wide cell share text and style, but only the left one tells which character it is.
            if cells[base + start].width == 0 { start -= 1 }
            if column < size.columns, cells[base + column].width == 0 { column += 1 }
            runs.append(ChangedRun(row: row, columns: start..<column))
        }
    }

    /// This in another size: cut or filled up with plain spaces at the right and at the bottom.
    func fitted(to size: Size) -> CellBuffer {
        guard size != self.size else { return self }
        var fitted = CellBuffer(size)
        for row in 0..<min(size.rows, self.size.rows) {
            for (column, cell) in self.row(row).enumerated() where cell.width > 0 {
                guard column + Int(cell.width) <= size.columns else { continue }
                fitted.set(cell.text, width: Int(cell.width), cell.style, row: row, column: column)
            }
        }
        return fitted
    }
}
