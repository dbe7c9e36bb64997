/// SplitMix64: the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension SeededGenerator {
    /// Text made of what is hard: wide, joined, combining, controls, and plain words between.
    mutating func text(pieces: Int) -> String {
        let hard = [
            "a", "word", " ", "  ", "漢", "字", "한", "e\u{301}", "\u{301}", "👍🏽", "👨‍👩‍👧‍👦", "🇯🇵", "🇯", "❤️", "1️⃣", "क्षि",
            "\u{200D}", "\u{200B}", "\u{202E}", "\u{1B}", "\t", "\u{9B}", "\u{FFFE}", "ｆ", "\u{1161}", "-", "…", "─",
            "🫩", "\u{1100}\u{1100}\u{1161}", "\u{E000}", "\u{AD}", "ำ",
        ]
        return (0..<pieces).reduce(into: "") { text, _ in text += hard.randomElement(using: &self) ?? "" }
    }
}
