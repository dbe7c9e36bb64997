import Terminal
import Testing

/// What a whole sequence means, fed at once.
private func decode(_ bytes: String, _ sequences: [[UInt8]: Key] = [:]) -> [TerminalEvent] {
    decode(Array(bytes.utf8), sequences)
}

private func decode(_ bytes: [UInt8], _ sequences: [[UInt8]: Key] = [:]) -> [TerminalEvent] {
    var decoder = KeyDecoder(sequences: sequences)
    let events = decoder.receive(bytes)
    return events + decoder.timedOut()
}

private let sentences: [(String, [TerminalEvent])] = [
    ("a", [.key(.character("a"))]),
    ("é漢👍🏽", [.key(.character("é")), .key(.character("漢")), .key(.character("👍🏽"))]),
    ("\r", [.key(.enter)]), ("\n", [.key(.control("j"))]), ("\t", [.key(.tab)]), ("\u{7F}", [.key(.backspace)]),
    ("\u{8}", [.key(.backspace)]), ("\0", [.key(.control(" "))]), ("\u{3}", [.key(.control("c"))]),
    ("\u{1A}", [.key(.control("z"))]), ("\u{1C}", [.key(.control("\\"))]), ("\u{1F}", [.key(.control("_"))]),
    ("\u{1B}", [.key(.escape)]), ("\u{1B}\u{1B}", [.key(.escape), .key(.escape)]),
    ("\u{1B}a", [.key(.alt("a"))]), ("\u{1B}A", [.key(.alt("A"))]), ("\u{1B}é", [.key(.alt("é"))]),
    ("\u{1B}\r", [.key(.alt(.enter))]), ("\u{1B}\u{7F}", [.key(.alt(.backspace))]), ("\u{1B}[", [.key(.alt("["))]),
    ("\u{1B}O", [.key(.alt("O"))]), ("\u{1B}\u{1}", [.key(.alt(.control("a")))]),
    ("\u{1B}[A", [.key(.up)]), ("\u{1B}OA", [.key(.up)]), ("\u{1B}[B", [.key(.down)]), ("\u{1B}OC", [.key(.right)]),
    ("\u{1B}[D", [.key(.left)]), ("\u{1B}[H", [.key(.home)]), ("\u{1B}OF", [.key(.end)]), ("\u{1B}[1~", [.key(.home)]),
    ("\u{1B}[7~", [.key(.home)]), ("\u{1B}[4~", [.key(.end)]), ("\u{1B}[8~", [.key(.end)]),
    ("\u{1B}[2~", [.key(.insert)]), ("\u{1B}[3~", [.key(.delete)]), ("\u{1B}[5~", [.key(.pageUp)]),
    ("\u{1B}[6~", [.key(.pageDown)]), ("\u{1B}[Z", [.key(.backTab)]),
    ("\u{1B}OP", [.key(.function(1))]), ("\u{1B}[11~", [.key(.function(1))]), ("\u{1B}[[A", [.key(.function(1))]),
    ("\u{1B}[[E", [.key(.function(5))]), ("\u{1B}[15~", [.key(.function(5))]), ("\u{1B}[17~", [.key(.function(6))]),
    ("\u{1B}[21~", [.key(.function(10))]), ("\u{1B}[24~", [.key(.function(12))]),
    ("\u{1B}[1;5C", [.key(.control(.right))]), ("\u{1B}[1;2A", [.key(.shift(.up))]),
    ("\u{1B}[1;3D", [.key(.alt(.left))]),
    ("\u{1B}[1;9D", [.key(.alt(.left))]), ("\u{1B}[3;5~", [.key(.control(.delete))]),
    ("\u{1B}[1;6P", [.key(Key(.function(1), [.control, .shift]))]), ("\u{1B}O5D", [.key(.control(.left))]),
    ("\u{1B}[a", [.key(.shift(.up))]), ("\u{1B}Oa", [.key(.control(.up))]), ("\u{1B}[3^", [.key(.control(.delete))]),
    ("\u{1B}[5$", [.key(.shift(.pageUp))]), ("\u{1B}[5@", [.key(Key(.pageUp, [.control, .shift]))]),
    ("\u{1B}\u{1B}[A", [.key(.alt(.up))]), ("\u{1B}\u{1B}OB", [.key(.alt(.down))]),
    ("\u{1B}\u{1B}a", [.key(.escape), .key(.alt("a"))]),
    ("\u{1B}\u{1B}\u{1B}", [.key(.escape), .key(.escape), .key(.escape)]),
    ("\u{1B}OM", [.key(.enter)]), ("\u{1B}Oj", [.key(.character("*"))]), ("\u{1B}Oy", [.key(.character("9"))]),
    ("\u{1B}[97;5u", [.key(.control("a"))]), ("\u{1B}[13;2u", [.key(.shift(.enter))]),
    ("\u{1B}[27;5;9~", [.key(.control(.tab))]), ("\u{1B}[97:65;2:1u", [.key(.character("a"))]),
    ("\u{1B}[<0;5;3M", [.mouse(Mouse(.press(.left), at: Position(row: 2, column: 4)))]),
    ("\u{1B}[<2;1;1m", [.mouse(Mouse(.release(.right), at: Position(row: 0, column: 0)))]),
    ("\u{1B}[<64;10;20M", [.mouse(Mouse(.scrollUp, at: Position(row: 19, column: 9)))]),
    ("\u{1B}[<65;300;400M", [.mouse(Mouse(.scrollDown, at: Position(row: 399, column: 299)))]),
    ("\u{1B}[<20;1;1M", [.mouse(Mouse(.press(.left), at: Position(row: 0, column: 0), [.shift, .control]))]),
    ("\u{1B}[<32;2;2M", [.mouse(Mouse(.drag(.left), at: Position(row: 1, column: 1)))]),
    ("\u{1B}[<35;2;2M", [.mouse(Mouse(.move, at: Position(row: 1, column: 1)))]),
    ("\u{1B}[M !!", [.mouse(Mouse(.press(.left), at: Position(row: 0, column: 0)))]),
    ("\u{1B}[M#\"#", [.mouse(Mouse(.release(.other), at: Position(row: 2, column: 1)))]),
    ("\u{1B}[M`!!", [.mouse(Mouse(.scrollUp, at: Position(row: 0, column: 0)))]),
    ("\u{1B}[200~two\rlines\u{1B}[201~x", [.paste(Paste("two\nlines")), .key(.character("x"))]),
    ("\u{1B}[200~\u{1B}[201~", [.paste(Paste(""))]),
    ("\u{1B}[200~a\r\nb\nc\u{1B}[201~", [.paste(Paste("a\nb\nc"))]),
    ("\u{1B}[200~\u{3}\u{1B}[2J\u{1B}[20\u{1B}\u{1B}[201~", [.paste(Paste("\u{3}\u{1B}[2J\u{1B}[20\u{1B}"))]),
    ("\u{1B}[200~a\u{1B}[20\u{1B}[201~", [.paste(Paste("a\u{1B}[20"))]),
    ("\u{1B}[201~", []), ("\u{1B}[I", []), ("\u{1B}[?1;2c", []), ("\u{1B}[?2026;2$y", []), ("\u{1B}[999~", []),
    ("\u{1B}[1;", []), ("\u{1B}[12\u{3}", [.key(.control("c"))]), ("\u{1B}[1;\u{1B}[A", [.key(.up)]),
    (
        "ab\u{1B}[Acd",
        [
            .key(.character("a")), .key(.character("b")), .key(.up), .key(.character("c")), .key(.character("d")),
        ]
    ),
]

@Suite("Key decoder")
struct KeyDecoderTests {
    @Test("what terminals send is understood", arguments: sentences)
    func sentence(bytes: String, events: [TerminalEvent]) {
        #expect(decode(bytes) == events, "\(bytes.debugDescription)")
    }

    @Test("it is understood the same however the bytes are cut", arguments: sentences)
    func everySplit(bytes: String, events: [TerminalEvent]) {
        // Characters typed in one piece are joined to one key; in several pieces they are several.
        guard bytes != "é漢👍🏽" else { return }
        let bytes = Array(bytes.utf8)
        for split in 0...bytes.count {
            var decoder = KeyDecoder()
            var found = decoder.receive(bytes[..<split])
            found += decoder.receive(bytes[split...])
            found += decoder.timedOut()
            #expect(found == events, "cut at \(split) of \(bytes)")
        }
        var decoder = KeyDecoder()
        let found = bytes.flatMap { decoder.receive([$0]) }
        #expect(found + decoder.timedOut() == events, "byte by byte: \(bytes)")
    }

    @Test("an ESC waits 25 ms for what may follow, and then is the key")
    func escapeWaits() {
        var decoder = KeyDecoder()
        #expect(decoder.patience == nil)
        #expect(decoder.receive([0x1B]) == [])
        #expect(decoder.patience == .milliseconds(25))
        #expect(decoder.timedOut() == [.key(.escape)])
        #expect(decoder.patience == nil)
        #expect(decoder.receive([0x1B]) == [])
        #expect(decoder.receive(Array("[".utf8)) == [])
        #expect(decoder.patience == .milliseconds(25))
        #expect(decoder.receive(Array("1;".utf8)) == [])
        #expect(decoder.patience == .milliseconds(250))
        #expect(decoder.receive(Array("5A".utf8)) == [.key(.control(.up))])
    }

    @Test("nothing waits inside a paste, however long it takes")
    func pasteDoesNotTimeOut() {
        var decoder = KeyDecoder()
        #expect(decoder.receive(Array("\u{1B}[200~half".utf8)) == [])
        #expect(decoder.patience == nil)
        #expect(decoder.timedOut() == [])
        #expect(decoder.receive(Array(" whole\u{1B}[201~".utf8)) == [.paste(Paste("half whole"))])
    }

    @Test("a paste is cut at a megabyte, between characters, and says so")
    func longPaste() throws {
        let long = String(repeating: "漢", count: KeyDecoder.longestPaste / 3 + 10)
        let events = decode("\u{1B}[200~\(long)\u{1B}[201~x")
        #expect(events.count == 2)
        guard case .paste(let paste) = events.first else {
            Issue.record("no paste")
            return
        }
        #expect(paste.isTruncated)
        #expect(paste.text.utf8.count <= KeyDecoder.longestPaste)
        #expect(paste.text.utf8.count > KeyDecoder.longestPaste - 3)
        #expect(paste.text.allSatisfy { $0 == "漢" })
        #expect(events.last == .key(.character("x")))
    }

    @Test(
        "each bad byte is U+FFFD, and what follows is understood",
        arguments: [
            ([0xFF], 1), ([0xC0, 0x80], 2), ([0xE6, 0xBC], 2), ([0x80], 1), ([0xED, 0xA0, 0x80], 3),
            ([0xF4, 0x90, 0x80, 0x80], 4), ([0xF5], 1),
        ] as [([UInt8], Int)])
    func badBytes(bytes: [UInt8], count: Int) {
        let bad = [TerminalEvent](repeating: .key(.character("\u{FFFD}")), count: count)
        #expect(decode(bytes) == bad)
        #expect(decode(bytes + [0x61]) == bad + [.key(.character("a"))])
        #expect(decode(bytes + [0x03]) == bad + [.key(.control("c"))])
        #expect(decode(bytes + Array("\u{1B}[A".utf8)) == bad + [.key(.up)])
    }

    @Test("the terminal's own description goes before the usual meaning")
    func describedKeys() {
        let vt52: [[UInt8]: Key] = [[0x1B, 0x41]: .up, Array("\u{1B}&j".utf8): .function(9)]
        #expect(decode("\u{1B}A", vt52) == [.key(.up)])
        #expect(decode("\u{1B}B", vt52) == [.key(.alt("B"))])
        #expect(decode("\u{1B}&j", vt52) == [.key(.function(9))])
        #expect(decode("\u{1B}&", vt52) == [.key(.alt("&"))])
        #expect(decode("x", [Array("x".utf8): .up]) == [.key(.character("x"))])
    }

    @Test("an endless sequence is given up")
    func endlessSequence() {
        var decoder = KeyDecoder()
        let digits = [UInt8](repeating: UInt8(ascii: "1"), count: 100)
        let events = decoder.receive(Array("\u{1B}[".utf8) + digits + Array("A".utf8))
        // What came after it was given up is typed text; nothing else could tell where it ends.
        #expect(events.last == .key(.character("A")))
        #expect(decoder.patience == nil)
    }

    @Test("no input traps or leaves it stuck, and any cut gives the same events", arguments: 0..<300)
    func anyInput(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let pieces: [[UInt8]] =
            ["\u{1B}", "[", "O", "M", "<", "1", ";", "200~", "201~", "A", "~", "é", "漢", "$", "u", "\u{3}", "m"]
            .map { Array($0.utf8) } + [[0xFF], [0xE6], [0xBC], [0x80], [0x9B], [0x00]]
        let bytes = (0..<60).flatMap { _ in pieces.randomElement(using: &generator) ?? [] }
        var whole = KeyDecoder()
        let expected = bytes.flatMap { whole.receive([$0]) } + whole.timedOut()
        var cut = KeyDecoder()
        var found: [TerminalEvent] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...7, using: &generator)
            found += cut.receive(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        found += cut.timedOut()
        #expect(found == expected)
        // Out of whatever state: a paste may be open.
        let end = cut.receive(Array("\u{1B}[201~".utf8)) + cut.timedOut()
        #expect(end.allSatisfy { if case .paste = $0 { true } else { $0 != .endOfInput } })
        #expect(cut.receive(Array("q".utf8)) == [.key(.character("q"))])
    }
}
