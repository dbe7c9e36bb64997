import RolecallProtocol

/// Texts that others might send to steer, deceive or tear a screen.
enum HostileTexts {
    static let all = controls + sequences + others

    private static let others: [(name: String, text: String)] = [
        ("bidi controls", marked(0x61C...0x61C) + marked(0x200E...0x200F) + marked(0x202A...0x202E)),
        ("bidi isolates", marked(0x2066...0x206F) + "\u{5D0}\u{5D1}\u{627}\u{628}"),
        ("line and paragraph separators", "one\u{2028}two\u{2029}three\u{85}four\r\nfive\rsix\nseven\u{B}eight\u{C}"),
        (
            "zero width",
            marked(0x200B...0x200D) + marked(0x2060...0x2064) + "a\u{FEFF}b\u{AD}c\u{34F}d\u{180E}e\u{3164}"
        ),
        (
            "interlinear and noncharacters",
            marked(0xFFF9...0xFFFF) + marked(0xFDD0...0xFDD1) + marked(0x10FFFE...0x10FFFF)
        ),
        ("tags and selectors", "a\u{E0041}\u{E007F}b\u{FE0F}c\u{E0100}d\u{1F3F4}\u{E0067}\u{E0062}"),
        ("a family", "👩‍👩‍👧‍👦 👨🏽‍🚀 🏳️‍🌈 ❤️‍🔥 1️⃣ #️⃣"),
        ("a chain of joiners", Array(repeating: "👩", count: 400).joined(separator: "\u{200D}")),
        ("flags", "🇩🇪🇯🇵🇩 🇪\u{200B}🏴󠁧󠁢󠁥󠁮󠁧󠁿"), ("a thousand flags", String(repeating: "🇺🇸", count: 1000)),
        ("Hangul jamo", "\u{1112}\u{1161}\u{11AB}\u{1100}\u{1100}\u{1100}\u{1161}\u{11A8}\u{A960}\u{D7B0}\u{D7CB}"),
        ("jamo without a lead", String(repeating: "\u{1161}\u{11A8}", count: 200)),
        ("stacked leads", String(repeating: "\u{1100}", count: 300)),
        ("a thousand marks on a letter", "z" + String(repeating: "\u{301}\u{323}", count: 500) + "z"),
        ("marks without a letter", String(repeating: "\u{20DD}\u{301}", count: 500)),
        ("Indic", "क्षि क\u{94D}\u{200D}ष নি \u{0BCD}\u{0DCF} ไม้เอก"),
        ("a line of ten thousand columns", String(repeating: "x", count: 10_000)),
        ("the same in words", String(repeating: "word ", count: 2000)),
        ("the same twice as wide", String(repeating: "大", count: 5000)),
        ("ten thousand lines", String(repeating: "a\n", count: 10_000)),
        ("unassigned and private", "\u{378}\u{E000}\u{F8FF}\u{1FAFA}\u{F0000}\u{10FFFD}"),
        ("like the screen's own", "│ ─────┤ ⟨1b⟩[2J ● online  root@example.org (admin) [LIST]"), ("nothing", ""),
        ("spaces", "   \t  "),
    ]

    /// Every C0, DEL and C1, some at a time, between letters.
    private static let controls: [(name: String, text: String)] = [
        ("C0, the first", marked(0...0xF)), ("C0, the others", marked(0x10...0x1F)),
        ("DEL and C1", marked(0x7F...0x8F)),
        ("C1, the others", marked(0x90...0x9F)),
    ]

    private static let sequences: [(name: String, text: String)] = [
        ("CSI", "\u{1B}[2J\u{1B}[1;1Hgone\u{1B}[?1049l\u{1B}[31;7m\u{1B}[6n\u{1B}[20t"),
        ("CSI in eight bits", "\u{9B}2J\u{9B}31m\u{9B}?25l"),
        ("OSC 0", "\u{1B}]0;owned\u{7}\u{1B}]2;owned\u{1B}\\\u{9D}0;owned\u{9C}"),
        ("OSC 8", "\u{1B}]8;;http://evil.example\u{7}link\u{1B}]8;;\u{7}"),
        ("OSC 52", "\u{1B}]52;c;b3duZWQ=\u{7}\u{1B}]52;c;?\u{7}"),
        ("DCS, APC, PM, SOS", "\u{1B}P$q\u{1B}\\\u{90}q\u{9C}\u{1B}_a\u{1B}\\\u{1B}^p\u{1B}\\\u{1B}Xs\u{1B}\\"),
        ("charsets and resets", "\u{1B}c\u{1B}(0qqq\u{E}\u{F}\u{1B}#8\u{1B}7\u{1B}8\u{1B}%G"),
        ("an unfinished one", "\u{1B}[38;2;1"),
    ]

    private static func marked(_ values: ClosedRange<UInt32>) -> String {
        values.compactMap(Unicode.Scalar.init).map { "a\($0)b" }.joined()
    }
}
