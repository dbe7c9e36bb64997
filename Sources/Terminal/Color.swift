/// A colour as a view names it; the screen brings it down to what the terminal can show.
public enum Color: Hashable, Sendable {
    /// The terminal's own foreground or background.
    case `default`
    /// One of the sixteen that the user's theme defines: 0–7, and 8–15 for their bright kin. Higher numbers mean the
    /// same as in ``indexed(_:)``.
    case ansi(UInt8)
    /// One of xterm's 256: 0–15 as ``ansi(_:)``, 16–231 a 6×6×6 cube, 232–255 a grey ramp.
    case indexed(UInt8)
    /// Red, green and blue, 0–255 each.
    case rgb(UInt8, UInt8, UInt8)

    public static let black = Color.ansi(0)
    public static let red = Color.ansi(1)
    public static let green = Color.ansi(2)
    public static let yellow = Color.ansi(3)
    public static let blue = Color.ansi(4)
    public static let magenta = Color.ansi(5)
    public static let cyan = Color.ansi(6)
    public static let white = Color.ansi(7)
    public static let brightBlack = Color.ansi(8)
    public static let brightRed = Color.ansi(9)
    public static let brightGreen = Color.ansi(10)
    public static let brightYellow = Color.ansi(11)
    public static let brightBlue = Color.ansi(12)
    public static let brightMagenta = Color.ansi(13)
    public static let brightCyan = Color.ansi(14)
    public static let brightWhite = Color.ansi(15)
}

/// How many colours a terminal shows.
public enum ColorDepth: Int, Comparable, Hashable, Sendable {
    /// None, or the user asked for none (`NO_COLOR`): only attributes tell things apart.
    case monochrome
    /// Eight.
    case ansi8
    /// Eight and their bright kin.
    case ansi16
    /// xterm's palette of 256.
    case indexed256
    /// 24 bits.
    case trueColor

    public static func < (left: ColorDepth, right: ColorDepth) -> Bool { left.rawValue < right.rawValue }

    /// The depth of a terminal that counts `colors` (terminfo's `colors`, −1 or 0 for none).
    init(colors: Int) {
        switch colors {
        case ..<8: self = .monochrome
        case ..<16: self = .ansi8
        case ..<256: self = .ansi16
        case ..<(1 << 24): self = .indexed256
        default: self = .trueColor
        }
    }
}

extension Color {
    /// The nearest colour that a terminal of this depth has. Theme colours keep their number as long as they can, so
    /// that a user's palette stays in force.
    public func reduced(to depth: ColorDepth) -> Color {
        if self == .default || depth == .monochrome { return .default }
        switch depth {
        case .monochrome:
            return .default
        case .ansi8:
            guard let index = paletteIndex, index < 16 else {
                return .ansi(Self.nearestBasic(to: components, among: 8))
            }
            return .ansi(index & 7)
        case .ansi16:
            guard let index = paletteIndex, index < 16 else {
                return .ansi(Self.nearestBasic(to: components, among: 16))
            }
            return .ansi(index)
        case .indexed256:
            guard let index = paletteIndex else { return .indexed(Self.nearestIndexed(to: components)) }
            return .indexed(index)
        case .trueColor:
            guard let index = paletteIndex, index >= 8 else { return self }
            let (red, green, blue) = components
            return .rgb(red, green, blue)
        }
    }

    /// The number in xterm's palette, where the colour has one.
    var paletteIndex: UInt8? {
        switch self {
        case .ansi(let index), .indexed(let index): index
        case .default, .rgb: nil
        }
    }

    /// Red, green and blue as xterm shows the colour unless a theme says otherwise.
    var components: (red: UInt8, green: UInt8, blue: UInt8) {
        switch self {
        case .default:
            return (0, 0, 0)
        case .rgb(let red, let green, let blue):
            return (red, green, blue)
        case .ansi(let index), .indexed(let index):
            switch index {
            case ..<16:
                let value = Self.basic[Int(index)]
                return (UInt8(value >> 16 & 0xFF), UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF))
            case ..<232:
                let cube = Int(index) - 16
                return (Self.levels[cube / 36], Self.levels[cube / 6 % 6], Self.levels[cube % 6])
            default:
                let grey = 8 + 10 * (index - 232)
                return (grey, grey, grey)
            }
        }
    }

    /// The steps of the cube's edges.
    private static let levels: [UInt8] = [0, 95, 135, 175, 215, 255]

    /// xterm's defaults for the sixteen.
    private static let basic: [UInt32] = [
        0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD, 0x00CDCD, 0xE5E5E5,
        0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00, 0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF,
    ]

    private static func nearestBasic(to wanted: (red: UInt8, green: UInt8, blue: UInt8), among count: Int) -> UInt8 {
        nearest(to: wanted, among: 0..<UInt8(count))
    }

    /// The sixteen are left out: a theme may have made anything of them.
    private static func nearestIndexed(to wanted: (red: UInt8, green: UInt8, blue: UInt8)) -> UInt8 {
        func step(_ value: UInt8) -> Int { value < 48 ? 0 : value < 115 ? 1 : (Int(value) - 35) / 40 }
        let cube = UInt8(16 + 36 * step(wanted.red) + 6 * step(wanted.green) + step(wanted.blue))
        let average = (Int(wanted.red) + Int(wanted.green) + Int(wanted.blue)) / 3
        let grey = UInt8(232 + min(23, max(0, (average - 3) / 10)))
        return distance(wanted, Color.indexed(grey).components) < distance(wanted, Color.indexed(cube).components)
            ? grey : cube
    }

    private static func nearest(
        to wanted: (red: UInt8, green: UInt8, blue: UInt8), among candidates: Range<UInt8>
    ) -> UInt8 {
        candidates.min { distance(wanted, Color.ansi($0).components) < distance(wanted, Color.ansi($1).components) }
            ?? 7
    }

    /// Squared distance, weighted the way the eye weighs red, green and blue.
    private static func distance(
        _ left: (red: UInt8, green: UInt8, blue: UInt8), _ right: (red: UInt8, green: UInt8, blue: UInt8)
    ) -> Int {
        let red = Int(left.red) - Int(right.red)
        let green = Int(left.green) - Int(right.green)
        let blue = Int(left.blue) - Int(right.blue)
        return 3 * red * red + 6 * green * green + blue * blue
    }
}
