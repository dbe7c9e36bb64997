import CNcurses

/// Styles as curses counts them: attribute bits, and pairs of colours that are made when first asked for.
@MainActor
struct CursesPalette {
    struct Look {
        var attributes: attr_t
        var pair: CInt
    }

    let depth: ColorDepth
    /// Whether −1 stands for the terminal's own colours.
    private let hasDefaults: Bool
    private let capacity: Int
    private var looks: [Style: Look] = [:]
    private var pairs: [Pair: CInt] = [:]

    private struct Pair: Hashable {
        var foreground: CInt
        var background: CInt
    }

    /// Asks the open screen what it can do. With `isColored` false it is not even told to start colours.
    init(isColored: Bool) {
        guard isColored, has_colors(), start_color() == OK else {
            depth = .monochrome
            hasDefaults = false
            capacity = 0
            return
        }
        hasDefaults = use_default_colors() == OK
        depth = ColorDepth(colors: Int(cn_colors()))
        // One less than INT16_MAX is what every version of curses can count to.
        capacity = min(Int(cn_color_pairs()), Int(Int16.max))
    }

    mutating func look(of style: Style) -> Look {
        if let look = looks[style] { return look }
        var attributes: attr_t = 0
        if style.attributes.contains(.bold) { attributes |= cn_bold }
        if style.attributes.contains(.dim) { attributes |= cn_dim }
        if style.attributes.contains(.italic) { attributes |= cn_italic }
        if style.attributes.contains(.underline) { attributes |= cn_underline }
        if style.attributes.contains(.reverse) { attributes |= cn_reverse }
        let reduced = style.reduced(to: depth)
        let pair = pair(
            Pair(
                foreground: number(reduced.foreground, standard: 7),
                background: number(reduced.background, standard: 0)
            ))
        let look = Look(attributes: attributes, pair: pair)
        // A view that computes colours could go on for ever.
        if looks.count >= 4096 { looks.removeAll(keepingCapacity: true) }
        looks[style] = look
        return look
    }

    /// The number of a pair, made if there is room; else that of the foreground alone, else none.
    private mutating func pair(_ wanted: Pair) -> CInt {
        let plain = Pair(foreground: number(.default, standard: 7), background: number(.default, standard: 0))
        if wanted == plain || depth == .monochrome { return 0 }
        if let pair = pairs[wanted] { return pair }
        let next = CInt(pairs.count + 1)
        guard Int(next) < capacity, init_extended_pair(next, wanted.foreground, wanted.background) == OK else {
            return pairs[Pair(foreground: wanted.foreground, background: plain.background)] ?? 0
        }
        pairs[wanted] = next
        return next
    }

    private func number(_ color: Color, standard: CInt) -> CInt {
        switch color {
        case .default: return hasDefaults ? -1 : standard
        case .ansi(let index), .indexed(let index): return CInt(index)
        case .rgb(let red, let green, let blue):
            let value = CInt(red) << 16 | CInt(green) << 8 | CInt(blue)
            // The first eight numbers of a terminal with direct colours are its palette; 1–7 would be dark blues.
            return value < 8 ? 0 : value
        }
    }
}
