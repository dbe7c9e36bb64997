import Terminal
import Testing

@Suite("Fitting text")
struct TextFittingTests {
    @Test(
        "text that is too long ends in an ellipsis and never exceeds the width",
        arguments: [
            ("hello", 5, "hello"), ("hello", 4, "hel…"), ("hello", 1, "h"), ("hello", 0, ""), ("hello", -3, ""),
            ("漢字漢字", 8, "漢字漢字"), ("漢字漢字", 7, "漢字漢…"), ("漢字漢字", 6, "漢字…"), ("漢", 1, ""),
            ("👨‍👩‍👧👨‍👩‍👧", 3, "👨‍👩‍👧…"), ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"), ("", 3, ""),
        ] as [(String, Int, String)])
    func truncates(text: String, width: Int, expected: String) {
        #expect(TextFitting.truncated(text, to: width) == expected)
    }

    @Test("what gives way can be the start or the middle")
    func truncatesElsewhere() {
        #expect(TextFitting.truncated("65f1c0aa00a3", to: 9, keeping: .ends) == "65f1…00a3")
        #expect(TextFitting.truncated("the cursor", to: 7, keeping: .end) == "…cursor")
        #expect(TextFitting.truncated("漢字漢字", to: 6, ellipsis: "~", keeping: .ends) == "漢~字")
    }

    @Test("padding fills to the width, on either side")
    func pads() {
        #expect(TextFitting.padded("漢", to: 4) == "漢  ")
        #expect(TextFitting.padded("7", to: 3, trailing: true) == "  7")
        #expect(TextFitting.padded("漢字", to: 3) == "漢…")
    }

    @Test(
        "words are kept whole, and the spaces at a break belong to no line",
        arguments: [
            ("the quick brown fox", 10, ["the quick", "brown fox"]),
            ("the quick  brown", 9, ["the quick", "brown"]),
            ("a  b", 1, ["a", "b"]),
            ("abcdefgh ij", 4, ["abcd", "efgh", "ij"]),
            ("to abcdefgh", 4, ["to", "abcd", "efgh"]),
            ("漢字かな", 5, ["漢字", "かな"]),
            ("ab漢字", 4, ["ab漢", "字"]),
            ("漢字abc", 6, ["漢字", "abc"]),
            ("  lead", 10, ["  lead"]),
            ("trail   ", 5, ["trail"]),
            ("one\ntwo\n\nthree", 9, ["one", "two", "", "three"]),
            ("one\r\ntwo", 9, ["one", "two"]),
            ("", 5, [""]), ("\n", 5, ["", ""]),
            ("👨‍👩‍👧👨‍👩‍👧", 3, ["👨‍👩‍👧", "👨‍👩‍👧"]),
        ] as [(String, Int, [String])])
    func wrapsWords(text: String, width: Int, expected: [String]) {
        #expect(TextFitting.wrapped(text, to: width).map(String.init) == expected)
    }

    @Test("wrapping anywhere leaves nothing out")
    func wrapsAnywhere() {
        #expect(TextFitting.wrapped("the quick", to: 4, .anywhere).map(String.init) == ["the ", "quic", "k"])
        #expect(TextFitting.wrapped("漢字漢", to: 3, .anywhere).map(String.init) == ["漢", "字", "漢"])
    }

    @Test("lines are slices of the text, so that places in it still mean something")
    func linesAreSlices() throws {
        let text = "find the needle in here"
        let lines = TextFitting.wrapped(text, to: 10)
        let needle = try #require(text.firstIndex(of: "d"))
        #expect(lines[0].indices.contains(needle))
        #expect(lines.map { text.distance(from: text.startIndex, to: $0.startIndex) } == [0, 9, 19])
    }

    @Test("whatever the text, no line exceeds the width, no cluster is cut and no word is lost", arguments: 0..<300)
    func holdsForAnyText(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let text = generator.text(pieces: Int.random(in: 0...60, using: &generator))
        let width = Int.random(in: 2...20, using: &generator)
        let whole = DisplayClusters(text).map(\.source)
        let starts = Set(whole.map(\.startIndex))
        for wrapping in [TextFitting.Wrapping.words, .anywhere] {
            let lines = TextFitting.wrapped(text, to: width, wrapping)
            #expect(lines.allSatisfy { DisplayWidth.of($0) <= width })
            #expect(lines.allSatisfy { $0.isEmpty || starts.contains($0.startIndex) })
            let kept = lines.joined().filter { !$0.isWhitespace }
            #expect(kept == text.filter { !$0.isWhitespace })
            if wrapping == .anywhere { #expect(lines.joined() == text) }
        }
        for keeping in [TextFitting.Keeping.start, .end, .ends] {
            let cut = TextFitting.truncated(text, to: width, keeping: keeping)
            #expect(DisplayWidth.of(cut) <= width)
            #expect(DisplayWidth.of(text) > width || cut == text)
        }
        #expect(DisplayWidth.of(TextFitting.padded(text, to: width)) == width)
    }
}

@Suite("Styled text")
struct StyledTextTests {
    private let line: StyledText = [Span("time ", .dim), Span("ann", .bold), Span(" said 漢字")]

    @Test("it is cut and wrapped as the whole text is, with its looks kept")
    func cutsWithLooks() {
        #expect(line.width == 18)
        #expect(line.truncated(to: 7).spans == [Span("time ", .dim), Span("a", .bold), Span("…", .bold)])
        #expect(line.truncated(to: 18) == line)
        #expect(line.truncated(to: 17).string == "time ann said 漢…")
        #expect(
            line.wrapped(to: 9).map(\.spans) == [
                [Span("time ", .dim), Span("ann", .bold)], [Span("said 漢字")],
            ])
    }

    @Test("a word in two styles is not broken between them")
    func wordsAcrossSpans() {
        let text: StyledText = [Span("see rea"), Span("dy", .reverse)]
        #expect(text.wrapped(to: 7).map(\.string) == ["see", "ready"])
    }

    @Test("a range takes another look, across spans and clipped to the text")
    func restyles() {
        let hit = line.restyled(3..<6) { $0.attributes.insert(.reverse) }
        #expect(hit.string == line.string)
        #expect(
            hit.spans == [
                Span("tim", .dim), Span("e ", Style([.dim, .reverse])), Span("a", Style([.bold, .reverse])),
                Span("nn", .bold), Span(" said 漢字"),
            ])
        #expect(line.restyled(-5..<0) { $0 = .bold } == line)
        #expect(line.restyled(0..<999) { $0 = .bold }.spans.allSatisfy { $0.style == .bold })
    }
}
