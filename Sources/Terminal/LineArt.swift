/// The characters that borders are made of.
public struct LineArt: Hashable, Sendable {
    public var horizontal: Character
    public var vertical: Character
    public var topLeft: Character
    public var topRight: Character
    public var bottomLeft: Character
    public var bottomRight: Character
    /// Joins a line from below: ┬
    public var teeDown: Character
    /// Joins a line from above: ┴
    public var teeUp: Character
    /// Joins a line from the right: ├
    public var teeRight: Character
    /// Joins a line from the left: ┤
    public var teeLeft: Character
    public var cross: Character
    /// What shortened text ends in: one column.
    public var ellipsis: String

    /// Box drawing characters.
    public static let unicode = LineArt(
        horizontal: "─", vertical: "│", topLeft: "┌", topRight: "┐", bottomLeft: "└", bottomRight: "┘",
        teeDown: "┬", teeUp: "┴", teeRight: "├", teeLeft: "┤", cross: "┼", ellipsis: "…"
    )

    /// For a locale that has no more than ASCII.
    public static let ascii = LineArt(
        horizontal: "-", vertical: "|", topLeft: "+", topRight: "+", bottomLeft: "+", bottomRight: "+",
        teeDown: "+", teeUp: "+", teeRight: "+", teeLeft: "+", cross: "+", ellipsis: "~"
    )
}
