import Terminal

/// For which background the colours are. Views draw for the dark one; the others are made of that.
enum ThemeChoice: String, Hashable, Sendable, CaseIterable {
    case dark
    case light
    case mono

    /// Brings a drawn frame into the theme.
    func apply(to cells: inout CellBuffer, depth: ColorDepth) {
        guard self != .dark, depth != .monochrome else { return }
        cells.restyle(Rect(cells.size)) { style in
            style.foreground = colour(style.foreground, depth)
            style.background = colour(style.background, depth)
        }
    }

    private func colour(_ colour: Color, _ depth: ColorDepth) -> Color {
        switch self {
        case .dark: return colour
        case .mono: return .default
        case .light:
            guard case .ansi(let index) = colour else { return colour }
            // Of sixteen colours, some are too bright to be read on white, whatever they are called.
            let isPoor = depth < .indexed256
            switch index {
            case 1, 9: return isPoor ? .red : .rgb(0xB0, 0x00, 0x20)
            case 2, 10: return isPoor ? .green : .rgb(0x00, 0x6B, 0x2D)
            case 3, 11: return isPoor ? .magenta : .rgb(0x8A, 0x5A, 0x00)
            case 4, 12: return isPoor ? .blue : .rgb(0x1F, 0x3F, 0xB0)
            case 6, 14: return isPoor ? .blue : .rgb(0x00, 0x5F, 0x73)
            case 7, 15: return .default
            case 8: return isPoor ? .default : .rgb(0x6A, 0x6A, 0x6A)
            default: return colour
            }
        }
    }
}
