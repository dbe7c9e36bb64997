/// One place on the screen.
public struct Cell: Hashable, Sendable {
    /// One display cluster; empty in the right half of a wide one.
    public let text: String
    public let style: Style
    /// 1 or 2; 0 in the right half of a wide cell.
    public let width: Int8

    init(_ text: String, width: Int, _ style: Style) {
        self.text = text
        self.width = Int8(width)
        self.style = style
    }
}

/// A cell as a ``CellBuffer`` keeps it: sixteen bytes without a reference, so that a frame of some thousand cells is
/// made, compared and let go of as fast as memory goes.
struct PackedCell: Equatable, Sendable {
    /// What is drawn: a code point, or beyond them a number in the buffer's ``CellBuffer/clusters``. In the right half of
    /// a wide cell, 0.
    var glyph: UInt32
    var look: PackedLook
    var width: Int8

    static func continuation(_ look: PackedLook) -> PackedCell { PackedCell(glyph: 0, look: look, width: 0) }
    static func blank(_ look: PackedLook) -> PackedCell { PackedCell(glyph: 0x20, look: look, width: 1) }

    /// The first that is no code point.
    static let firstCluster: UInt32 = 0x8000_0000

    /// The number of a cluster of several code points; nil for one code point.
    var cluster: Int? { glyph < Self.firstCluster ? nil : Int(glyph - Self.firstCluster) }
}

/// A ``Style`` as bytes.
struct PackedLook: Equatable, Sendable {
    private var foreground: UInt32
    private var background: UInt32
    private var attributes: UInt8

    init(_ style: Style) {
        foreground = Self.number(style.foreground)
        background = Self.number(style.background)
        attributes = style.attributes.rawValue
    }

    var style: Style {
        Style(Self.color(foreground), on: Self.color(background), Style.Attributes(rawValue: attributes))
    }

    /// The kind in the highest byte, what it needs in the others.
    private static func number(_ color: Color) -> UInt32 {
        switch color {
        case .default: 0
        case .ansi(let index): 1 << 24 | UInt32(index)
        case .indexed(let index): 2 << 24 | UInt32(index)
        case .rgb(let red, let green, let blue): 3 << 24 | UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue)
        }
    }

    private static func color(_ number: UInt32) -> Color {
        let low = UInt8(truncatingIfNeeded: number)
        return switch number >> 24 {
        case 1: .ansi(low)
        case 2: .indexed(low)
        case 3: .rgb(UInt8(truncatingIfNeeded: number >> 16), UInt8(truncatingIfNeeded: number >> 8), low)
        default: .default
        }
    }
}
