/// Text of somebody else's making, made harmless for a terminal.
///
/// What would act on a terminal or deceive its reader becomes a visible mark, its code point in angle brackets
/// (`⟨1b⟩`, `⟨202e⟩`): the controls C0 and C1, line and paragraph separators, bidirectional controls, and every
/// character that draws nothing. Three of the last kind stay where they belong: the joiner inside an emoji, one
/// variation selector after a character that has variants, and the tags of a flag.
///
/// Made once, on receipt; nothing else of a server or another user may be drawn.
struct SafeText: Hashable, Sendable, CustomStringConvertible {
    /// The text with its marks.
    let text: String
    /// How many characters became marks.
    let marks: Int

    var description: String { text }

    init(_ foreign: String) {
        if foreign.utf8.allSatisfy({ 0x20 <= $0 && $0 < 0x7F }) {
            text = foreign
            marks = 0
            return
        }
        var maker = Maker(scalars: Array(foreign.unicodeScalars))
        maker.run()
        text = maker.output
        marks = maker.marks
    }

    /// A character as a visible mark: its code point in lower-case hexadecimal, of two digits at least.
    static func mark(of scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16)
        return "⟨\(digits.utf8.count < 2 ? "0" : "")\(digits)⟩"
    }
}

extension Unicode.Scalar {
    /// Whether a terminal may obey this character, or draw the text around it in another order or on another line.
    var isTerminalHazard: Bool {
        switch value {
        case 0..<0x20, 0x7F..<0xA0: true
        case 0xA0..<0x61C: false
        case 0x61C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x206F, 0xFFF9...0xFFFB: true
        case 0xFDD0...0xFDEF: true
        default: value & 0xFFFE == 0xFFFE
        }
    }

    /// Whether this character draws nothing, and so can hide or counterfeit text.
    fileprivate var isInvisible: Bool {
        switch value {
        // None is in here, and most text is: Unicode's own table takes far longer to ask.
        case ..<0xAD, 0xAE..<0x34F, 0x2070..<0x3164, 0x3165..<0xFE00: false
        default: properties.isDefaultIgnorableCodePoint
        }
    }

    fileprivate var isVariationSelector: Bool {
        (0xFE00...0xFE0F).contains(value) || (0xE0100...0xE01EF).contains(value)
    }

    /// Whether this can be a part of an emoji that is joined to another one.
    fileprivate var isEmojiPart: Bool {
        value > 0xA9 && (properties.isEmoji || properties.isEmojiModifier)
    }
}

private struct Maker {
    let scalars: [Unicode.Scalar]
    var output = ""
    var marks = 0

    init(scalars: [Unicode.Scalar]) {
        self.scalars = scalars
    }

    mutating func run() {
        var index = 0
        while index < scalars.count {
            let scalar = scalars[index]
            if scalar == "\u{1F3F4}", let end = flagEnd(after: index) {
                output.unicodeScalars.append(contentsOf: scalars[index...end])
                index = end
            } else if scalar.isTerminalHazard || scalar.isInvisible && !belongs(at: index) {
                output += SafeText.mark(of: scalar)
                marks += 1
            } else {
                output.unicodeScalars.append(scalar)
            }
            index += 1
        }
    }

    /// Whether an invisible character does its own work at this place.
    private func belongs(at index: Int) -> Bool {
        guard index > 0 else { return false }
        let scalar = scalars[index]
        let before = scalars[index - 1]
        if scalar == "\u{200D}" {
            let joins = before.isEmojiPart || before == "\u{FE0F}" && index > 1 && scalars[index - 2].isEmojiPart
            return joins && index + 1 < scalars.count && scalars[index + 1].isEmojiPart
        }
        if scalar == "\u{FE0E}" || scalar == "\u{FE0F}" {
            return before.properties.isEmoji
        }
        return scalar.isVariationSelector && before.properties.isIdeographic
    }

    /// Where the tags end that make a flag (England's, say) of the black flag at `index`.
    private func flagEnd(after index: Int) -> Int? {
        // The longest region that Unicode knows has six letters; the bound keeps a long run from being scanned again
        // for each flag in it.
        for end in scalars.indices.dropFirst(index + 1).prefix(8) {
            switch scalars[end].value {
            case 0xE0030...0xE0039, 0xE0061...0xE007A: continue
            case 0xE007F: return end > index + 2 ? end : nil
            default: return nil
            }
        }
        return nil
    }
}
