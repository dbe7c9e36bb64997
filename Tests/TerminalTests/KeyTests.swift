import Terminal
import Testing

@Suite("Keys")
struct KeyTests {
    @Test(
        "a key has a name for help pages and configuration files, and the name means the key",
        arguments: [
            (Key.character("a"), "a"), (.character("A"), "A"), (.space, "Space"), (.control("l"), "Ctrl-L"),
            (.control(" "), "Ctrl-Space"), (.control("\\"), "Ctrl-\\"), (.alt("1"), "Alt-1"),
            (.alt(.enter), "Alt-Enter"),
            (.function(5), "F5"), (.backTab, "Shift-Tab"), (.pageUp, "PgUp"), (.control(.left), "Ctrl-Left"),
            (Key(.up, [.control, .alt, .shift]), "Ctrl-Alt-Shift-Up"), (.character("-"), "-"), (.alt("-"), "Alt--"),
            (.character("漢"), "漢"), (.escape, "Esc"), (.delete, "Del"),
        ] as [(Key, String)])
    func names(key: Key, name: String) {
        #expect(key.description == name)
        #expect(Key(name) == key)
    }

    @Test(
        "other spellings are understood",
        arguments: [
            ("ctrl-l", Key.control("l")), ("C-x", .control("x")), ("M-x", .alt("x")), ("meta-X", .alt("X")),
            ("escape", .escape), ("RETURN", .enter), ("page-down", .pageDown), ("f10", .function(10)),
            ("C", .character("C")),
            ("Alt-Space", .alt(" ")),
        ] as [(String, Key)])
    func otherSpellings(name: String, key: Key) {
        #expect(Key(name) == key)
    }

    @Test(
        "what names no key, or one that no terminal tells apart, is refused",
        arguments: ["", "nokey", "Ctrl-", "F0", "F99", "Ctrl-1", "Ctrl-i", "Ctrl-[", "Shift-a", "Ctrl-é", "Hyper-x"])
    func refused(name: String) {
        #expect(Key(name) == nil)
    }

    @Test("only plain characters are text to insert")
    func text() {
        #expect(Key.character("é").text == "é")
        #expect(Key.control("a").text == nil)
        #expect(Key.alt("a").text == nil)
        #expect(Key.enter.text == nil)
    }
}
