import CNcurses
import Glibc
import Terminal
import Testing

/// The planes that have characters in them, without the plain ideographs and the private use planes.
private let assigned = [
    UInt32(0)...0x4E10, 0x9FF0...0xAC10, 0xD790...0x2_0010, 0xE_0000...0xE_01F0, 0x10_FFF0...0x10_FFFF,
]
.joined()

@Suite("Display width")
struct DisplayWidthTests {
    @Test(
        "text takes the columns that terminals give it",
        arguments: [
            ("", 0), ("hello", 5), ("héllo", 5), ("漢字", 4), ("かな", 4), ("ｆｕｌｌ", 8), ("ﾊﾝｶｸ", 4), ("한글", 4),
            ("\u{1112}\u{1161}\u{11AB}", 2), ("e\u{301}", 1), ("a\u{323}\u{301}", 1), ("─│┌", 3), ("αβγ", 3),
            ("…±°", 3),
            ("👍", 2), ("👍🏽", 2), ("👨‍👩‍👧", 2), ("👨‍👩‍👧‍👦", 2), ("👩🏽‍🚀", 2), ("🏳️‍🌈", 2), ("❤️‍🔥", 2), ("🇯🇵", 2), ("🇯", 2),
            ("🇯🇵🇩🇪", 4), ("🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}", 2), ("❤", 1), ("❤️", 2),
            ("❤\u{FE0E}", 1), ("⌚", 2), ("⌚\u{FE0E}", 2), ("1️⃣", 2), ("#️⃣", 2), ("1", 1), ("☺", 1), ("☺️", 2), ("🫩", 2),
            ("कि", 2), ("क्षि", 3), ("นี้", 1), ("กำ", 2), ("בְּ", 1), ("\u{600}1", 2), ("\u{E0B0}", 1), ("䷀", 2),
            ("\u{3164}", 2), ("a\u{AD}b", 3), ("𠮷", 2), ("\u{1F02C}", 1),
        ] as [(String, Int)])
    func width(of text: String, is expected: Int) {
        #expect(DisplayWidth.of(text) == expected, "\(text.debugDescription)")
    }

    @Test(
        "joiners, direction marks and variation selectors by themselves take no column",
        arguments: ["\u{200D}", "\u{200C}", "\u{200B}", "\u{202E}", "\u{2066}", "\u{FEFF}", "\u{FE0F}", "\u{E0061}"])
    func invisible(text: String) {
        #expect(DisplayWidth.of(text) == 0)
        #expect(DisplayWidth.of("a" + text) == 1)
    }

    @Test("controls take one column each, for they are shown as a picture")
    func controls() {
        #expect(DisplayWidth.of("\u{1B}[2J") == 4)
        #expect(DisplayWidth.of("\u{7F}\u{9B}\t") == 3)
        #expect(DisplayWidth.of("\r\n") == 1)
    }

    @Test("no code point is narrower than the C library has it, so that nothing is drawn over its neighbour")
    func neverNarrowerThanTheLibrary() throws {
        try #require(setlocale(LC_CTYPE, "C.UTF-8") != nil, "the locale C.UTF-8 has to be installed")
        for value in assigned where value >= 0xA0 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let library = Int(cn_width(wchar_t(bitPattern: value)))
            let own = DisplayWidth.of(scalar)
            if own < library { Issue.record("U+\(String(value, radix: 16)): \(own), and \(library) in the C library") }
        }
    }

    @Test("every emoji that has its own presentation is two columns wide")
    func emojiAreWide() {
        for value in UInt32(0)...0x1FFFF {
            guard let scalar = Unicode.Scalar(value), scalar.properties.isEmojiPresentation else { continue }
            if DisplayWidth.of(scalar) != 2 { Issue.record("U+\(String(value, radix: 16))") }
        }
    }
}

@Suite("Display clusters")
struct DisplayClustersTests {
    @Test("a sequence that is one picture is one cluster")
    func sequencesStayWhole() {
        let text = "a👨‍👩‍👧👍🏽🇯🇵🇩🇪❤️1️⃣e\u{301}漢b"
        #expect(
            DisplayClusters(text).map(\.glyph) == [
                "a", "👨‍👩‍👧", "👍🏽", "🇯🇵", "🇩🇪", "❤️", "1️⃣", "e\u{301}", "漢", "b",
            ])
    }

    @Test("a cluster that terminals draw side by side is cut before each part that has a column")
    func conjunctsAreCut() {
        #expect(DisplayClusters("क्षि").map(\.glyph) == ["क\u{94D}", "ष", "ि"])
        #expect(DisplayClusters("\u{1100}\u{1100}\u{1161}").map(\.width) == [2, 2])
        let chain = String(repeating: "क\u{94D}", count: 500)
        #expect(DisplayClusters(chain).allSatisfy { $0.width == 1 })
        #expect(DisplayWidth.of(chain) == 500)
    }

    @Test("no control gets through: each is shown as a picture or as U+FFFD")
    func controlsBecomePictures() {
        #expect(DisplayClusters("\u{1B}\u{0}\u{7F}\u{9B}\n\r\n\u{2028}\t").map(\.glyph).joined() == "␛␀␡\u{FFFD}␤␤␤ ")
        for value in assigned {
            guard let scalar = Unicode.Scalar(value) else { continue }
            for drawn in DisplayClusters(String(scalar)).flatMap(\.glyph.unicodeScalars) {
                let category = drawn.properties.generalCategory
                let isHarmful = category == .control || category == .lineSeparator || category == .paragraphSeparator
                if isHarmful || drawn.properties.isNoncharacterCodePoint {
                    Issue.record("U+\(String(value, radix: 16))")
                }
            }
        }
    }

    @Test("a mark without a base gets a dotted circle, at the start of a text or after a control")
    func lonelyMarks() {
        #expect(DisplayClusters("\u{301}a").map(\.glyph) == ["\u{25CC}\u{301}", "a"])
        #expect(DisplayClusters("\u{1161}").map(\.glyph) == ["\u{25CC}\u{1161}"])
    }

    @Test("ten thousand accents on a letter are drawn as a few")
    func accentsAreLimited() throws {
        let cluster = try #require(
            DisplayClusters("e" + String(repeating: "\u{301}", count: 10_000)).first { _ in true })
        #expect(cluster.glyph.unicodeScalars.count == DisplayClusters.longest)
        #expect(cluster.width == 1)
    }

    @Test("the sources, put together, are the text", arguments: 0..<200)
    func sourcesAreTheText(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let text = generator.text(pieces: 30)
        let clusters = Array(DisplayClusters(text))
        #expect(clusters.map { String($0.source) }.joined() == text)
        #expect(clusters.allSatisfy { 0...2 ~= $0.width && ($0.width == 0) == $0.glyph.isEmpty })
    }

    @Test("what is known to be simple has the width, and joins its neighbours as little, as Unicode's tables say")
    func simpleCodePoints() {
        var wrong: [String] = []
        for value in UInt32(0xA1)..<0x2600 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark, .spacingMark, .format, .control, .lineSeparator, .paragraphSeparator,
                .unassigned:
                continue
            default: break
            }
            let width = scalar.properties.isEmojiPresentation ? 2 : DisplayWidth.of(scalar)
            // Two characters, whatever the tables say of a third one between them.
            guard width > 0, "a\(scalar)b".count == 3 else { continue }
            if DisplayWidth.of("a\(scalar)b") != 2 + width { wrong.append(String(value, radix: 16)) }
            if DisplayWidth.of("\(scalar)\u{301}") != width { wrong.append("\(String(value, radix: 16)) with a mark") }
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(20))")
    }
}
