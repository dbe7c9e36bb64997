extension CellBuffer {
    /// Draws text on one line and says in which column it ended, so that more can follow.
    ///
    /// - Parameters:
    ///   - column: Where the text begins. It may lie left of `columns`, as when a line is scrolled sideways.
    ///   - columns: Where it may be seen; the whole row by default.
    /// - Returns: The column after the last one drawn, inside `columns`.
    ///
    /// A wide character that only half fits at either edge becomes a space.
    @discardableResult
    public mutating func draw(
        _ text: some StringProtocol, row: Int, column: Int, _ style: Style = .plain, in columns: Range<Int>? = nil
    ) -> Int {
        let visible = (columns ?? 0..<size.columns).clamped(to: 0..<size.columns)
        let inside = min(max(column, visible.lowerBound), visible.upperBound)
        guard row >= 0, row < size.rows, !visible.isEmpty, column < visible.upperBound else { return inside }
        var next = column
        var clusters = DisplayClusters(text).makeIterator()
        while next < visible.upperBound {
            let isPlain = clusters.takePlain { bytes in
                let shown = (visible.lowerBound - next)..<(visible.upperBound - next)
                let clipped = shown.clamped(to: 0..<bytes.count)
                if !clipped.isEmpty {
                    let plain = UnsafeBufferPointer(rebasing: bytes[clipped])
                    set(plain, style, row: row, column: next + clipped.lowerBound)
                }
                next += bytes.count
            }
            if isPlain { continue }
            guard let cluster = clusters.next() else { break }
            guard cluster.width > 0 else { continue }
            let end = next + cluster.width
            if next >= visible.lowerBound, end <= visible.upperBound {
                set(cluster.glyph, width: cluster.width, style, row: row, column: next)
            } else if end > visible.lowerBound, next < visible.upperBound {
                // Half a wide character is in sight: its left half at the right edge, its right half at the left one.
                set(" ", width: 1, style, row: row, column: next < visible.lowerBound ? end - 1 : next)
            }
            next = end
        }
        return min(max(next, inside), visible.upperBound)
    }

    /// Draws spans one after the other; see ``draw(_:row:column:_:in:)``.
    @discardableResult
    public mutating func draw(
        _ text: StyledText, row: Int, column: Int, in columns: Range<Int>? = nil
    ) -> Int {
        let limit = min(columns?.upperBound ?? size.columns, size.columns)
        var next = column
        for span in text.spans where next < limit {
            // Left of the visible columns the place is counted, not drawn.
            let width = next < (columns?.lowerBound ?? 0) ? DisplayWidth.of(span.text) : 0
            let end = draw(span.text, row: row, column: next, span.style, in: columns)
            next = width > 0 ? next + width : end
        }
        return min(max(next, columns?.lowerBound ?? 0), max(limit, 0))
    }

    /// Fills a block with a character one column wide; a wider one counts as a space.
    public mutating func fill(_ rect: Rect, _ character: Character = " ", _ style: Style = .plain) {
        let rect = rect.intersection(Rect(size))
        let cluster = DisplayClusters(String(character)).first { _ in true }
        let glyph = cluster?.width == 1 ? cluster?.glyph ?? " " : " "
        for row in rect.rowRange {
            for column in rect.columnRange { set(glyph, width: 1, style, row: row, column: column) }
        }
    }

    /// A line to the right.
    public mutating func horizontalLine(
        row: Int, columns: Range<Int>, _ style: Style = .plain, _ art: LineArt = .unicode
    ) {
        fill(Rect(row: row, column: columns.lowerBound, rows: 1, columns: columns.count), art.horizontal, style)
    }

    /// A line downwards.
    public mutating func verticalLine(column: Int, rows: Range<Int>, _ style: Style = .plain, _ art: LineArt = .unicode)
    {
        fill(Rect(row: rows.lowerBound, column: column, rows: rows.count, columns: 1), art.vertical, style)
    }

    /// A frame around the inside of `rect`; nothing where that is less than 2×2.
    public mutating func box(_ rect: Rect, _ style: Style = .plain, _ art: LineArt = .unicode) {
        guard rect.rows >= 2, rect.columns >= 2 else { return }
        let bottom = rect.rowRange.upperBound - 1
        let right = rect.columnRange.upperBound - 1
        horizontalLine(row: rect.row, columns: rect.columnRange, style, art)
        horizontalLine(row: bottom, columns: rect.columnRange, style, art)
        verticalLine(column: rect.column, rows: rect.rowRange, style, art)
        verticalLine(column: right, rows: rect.rowRange, style, art)
        let corners = [
            (rect.row, rect.column, art.topLeft), (rect.row, right, art.topRight),
            (bottom, rect.column, art.bottomLeft), (bottom, right, art.bottomRight),
        ]
        for (row, column, corner) in corners {
            fill(Rect(row: row, column: column, rows: 1, columns: 1), corner, style)
        }
    }
}
