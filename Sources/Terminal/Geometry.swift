/// The extent of a screen or a buffer, in cells.
public struct Size: Hashable, Sendable {
    /// Cells from left to right; at least 0.
    public var columns: Int
    /// Cells from top to bottom; at least 0.
    public var rows: Int

    /// Negative numbers become 0.
    public init(columns: Int, rows: Int) {
        self.columns = max(0, columns)
        self.rows = max(0, rows)
    }
}

extension Size: CustomStringConvertible {
    public var description: String { "\(columns)×\(rows)" }
}

/// A cell's place, counted from 0 at the top left.
public struct Position: Hashable, Sendable {
    /// 0 is the top row.
    public var row: Int
    /// 0 is the leftmost column.
    public var column: Int

    public init(row: Int, column: Int) {
        self.row = row
        self.column = column
    }
}

/// A block of cells. It may reach outside a buffer: whatever draws into one clips it.
public struct Rect: Hashable, Sendable {
    /// The top row.
    public var row: Int
    /// The leftmost column.
    public var column: Int
    /// The height; at least 0.
    public var rows: Int
    /// The width; at least 0.
    public var columns: Int

    /// Negative extents become 0.
    public init(row: Int, column: Int, rows: Int, columns: Int) {
        self.row = row
        self.column = column
        self.rows = max(0, rows)
        self.columns = max(0, columns)
    }

    /// All of a buffer or screen of this size.
    public init(_ size: Size) {
        self.init(row: 0, column: 0, rows: size.rows, columns: size.columns)
    }

    /// The rows it covers.
    public var rowRange: Range<Int> { row..<(row + rows) }
    /// The columns it covers.
    public var columnRange: Range<Int> { column..<(column + columns) }
    /// `true` where it covers no cell.
    public var isEmpty: Bool { rows == 0 || columns == 0 }

    /// Whether the cell at `position` is inside.
    public func contains(_ position: Position) -> Bool {
        rowRange.contains(position.row) && columnRange.contains(position.column)
    }

    /// What both cover; empty where they do not meet.
    public func intersection(_ other: Rect) -> Rect {
        let top = max(row, other.row)
        let left = max(column, other.column)
        return Rect(
            row: top, column: left,
            rows: min(rowRange.upperBound, other.rowRange.upperBound) - top,
            columns: min(columnRange.upperBound, other.columnRange.upperBound) - left
        )
    }

    /// The block inside a border `margin` cells wide.
    public func inset(by margin: Int) -> Rect {
        Rect(row: row + margin, column: column + margin, rows: rows - 2 * margin, columns: columns - 2 * margin)
    }

    /// The upper `count` rows and what is left under them. `count` is clamped to the height.
    public func splitTop(_ count: Int) -> (top: Rect, rest: Rect) {
        let count = min(max(0, count), rows)
        return (
            Rect(row: row, column: column, rows: count, columns: columns),
            Rect(row: row + count, column: column, rows: rows - count, columns: columns)
        )
    }

    /// The lower `count` rows and what is left above them. `count` is clamped to the height.
    public func splitBottom(_ count: Int) -> (rest: Rect, bottom: Rect) {
        let (rest, bottom) = splitTop(rows - min(max(0, count), rows))
        return (rest, bottom)
    }

    /// The left `count` columns and what is left beside them. `count` is clamped to the width.
    public func splitLeft(_ count: Int) -> (left: Rect, rest: Rect) {
        let count = min(max(0, count), columns)
        return (
            Rect(row: row, column: column, rows: rows, columns: count),
            Rect(row: row, column: column + count, rows: rows, columns: columns - count)
        )
    }
}
