import Foundation
import Testing

@testable import Terminal

@Suite("Messages to the terminal")
struct TerminalMessageTests {
    private func text(_ message: TerminalMessage, _ style: NotificationStyle = .none) -> String? {
        message.encoded(for: style).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "the clipboard gets base64",
        arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy"), ("漢", "5ryi")])
    func clipboard(plain: String, encoded: String) {
        #expect(text(.clipboard(plain)) == "\u{1B}]52;c;\(encoded)\u{7}")
    }

    @Test("the clipboard is reached through tmux and through screen, whose own limits hold")
    func multiplexers() throws {
        func text(_ plain: String, _ multiplexer: Multiplexer) throws -> String {
            let bytes = try #require(TerminalMessage.clipboard(plain).encoded(for: .none, through: multiplexer))
            return String(decoding: bytes, as: UTF8.self)
        }
        let plain = "\u{1B}]52;c;Zm9v\u{7}"
        #expect(try text("foo", .none) == plain)
        #expect(try text("foo", .tmux) == "\(plain)\u{1B}Ptmux;\u{1B}\(plain)\u{1B}\\")
        #expect(try text("foo", .screen) == "\u{1B}P\(plain)\u{1B}\\")
        let long = try text(String(repeating: "x", count: 1000), .screen)
        let pieces = long.components(separatedBy: "\u{1B}\\")
        #expect(pieces.count > 5)
        #expect(pieces.allSatisfy { $0.utf8.count < 256 && ($0.isEmpty || $0.hasPrefix("\u{1B}P")) })
        let joined = pieces.map { $0.dropFirst(2) }.joined()
        #expect(joined == self.text(.clipboard(String(repeating: "x", count: 1000))))
    }

    @Test(
        "what a process runs in is known by its environment",
        arguments: [
            (["TERM": "xterm-256color"], Multiplexer.none), (["TERM": "xterm", "TMUX": "/tmp/x,1,0"], .tmux),
            (["TERM": "tmux-256color"], .tmux), (["TERM": "screen-256color", "TMUX": "x"], .tmux),
            (["TERM": "screen.xterm-256color", "STY": "1.pts"], .screen), (["TERM": "screen"], .screen),
        ] as [([String: String], Multiplexer)])
    func multiplexer(environment: [String: String], expected: Multiplexer) {
        #expect(Multiplexer.known(environment: environment) == expected)
    }

    @Test("what is too long for a clipboard is not sent")
    func longClipboard() {
        let longest = String(repeating: "x", count: TerminalMessage.longestClipboard)
        #expect(text(.clipboard(longest)) != nil)
        #expect(text(.clipboard(longest + "x")) == nil)
    }

    @Test("a notification can't end its sequence, begin another or be a command")
    func notifications() {
        let hostile = TerminalMessage.notification(title: "a;b\u{7}", body: "\u{1B}]52;c;\u{9C}x\nnext")
        #expect(text(hostile, .osc777) == "\u{1B}]777;notify;a,b␇;␛]52;c;\u{FFFD}x␤next\u{7}")
        #expect(text(.notification(title: "", body: "4;1;50"), .osc9) == "\u{1B}]9; 4;1;50\u{7}")
        #expect(text(.notification(title: "ann", body: "hi"), .osc9) == "\u{1B}]9;ann: hi\u{7}")
        #expect(text(hostile, .none) == nil)
    }

    @Test("a notification is shortened")
    func longNotification() {
        let long = TerminalMessage.notification(title: "", body: String(repeating: "漢", count: 5000))
        #expect((long.encoded(for: .osc9)?.count ?? 0) < 650)
    }

    @Test(
        "which terminals notify is known by their names",
        arguments: [
            (["TERM": "xterm-256color"], NotificationStyle.none), (["TERM": "xterm-kitty"], .osc9),
            (["TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"], .osc9), (["TERM": "foot"], .osc777),
            (["TERM": "xterm-256color", "VTE_VERSION": "7200"], .osc777),
            (["TERM": "tmux-256color", "TMUX": "x", "VTE_VERSION": "7200"], .none),
        ] as [([String: String], NotificationStyle)])
    func notificationStyle(environment: [String: String], expected: NotificationStyle) {
        #expect(NotificationStyle.known(environment: environment) == expected)
    }
}

@Suite("What terminals draw")
struct TerminalKnowledgeTests {
    private let encoder = CellEncoder(
        isUnicode: true, joining: [],
        libraryWidth: { scalar in
            switch scalar.value {
            case 0x1FAE9: -1
            case 0x301...0x308, 0xFE0F, 0x200D: 0
            case 0x4E00...0x9FFF, 0x1F300...0x1FAFF: 2
            default: 1
            }
        }, isEncodable: { $0.value < 0x100 })

    private func ink(_ text: String, width: Int, _ encoder: CellEncoder) -> CellInk {
        encoder.ink(for: Cell(text, width: width, .plain))
    }

    @Test("curses draws what everybody agrees about")
    func agreed() {
        for (text, width) in [("a", 1), ("é", 1), ("e\u{301}", 1), ("漢", 2), ("─", 1)] {
            #expect(ink(text, width: width, encoder) == .curses(Array(text.unicodeScalars)), "\(text)")
        }
    }

    @Test("what is disputed is written by its address, over blanks of its width")
    func disputed() {
        #expect(ink("👍", width: 2, encoder) == .addressed("👍", ground: "  "))
        #expect(ink("❤️", width: 2, encoder) == .addressed("❤️", ground: "  "))
        #expect(ink("🇯🇵", width: 2, encoder) == .addressed("🇯🇵", ground: "  "))
        #expect(ink("䷀", width: 2, encoder) == .addressed("䷀", ground: "  "))
        let zalgo = "e\u{301}\u{302}\u{303}\u{304}\u{305}"
        #expect(ink(zalgo, width: 1, encoder) == .addressed(zalgo, ground: " "))
    }

    @Test("under what the C library does not know lies U+FFFD, for terminals that leave it out")
    func unknown() {
        #expect(ink("🫩", width: 2, encoder) == .addressed("🫩", ground: "\u{FFFD} "))
    }

    @Test("a terminal that does not join emoji is sent the plain first one, which is as wide as the cell")
    func reduced() {
        #expect(ink("👨‍👩‍👧", width: 2, encoder) == .addressed("👨", ground: "  "))
        #expect(ink("👍🏽", width: 2, encoder) == .addressed("👍", ground: "  "))
        #expect(EmojiJoining.sequences.reduce("👩🏽‍🚀") == "👩‍🚀")
        #expect(EmojiJoining([.sequences, .skinTones]).reduce("👩🏽‍🚀") == "👩🏽‍🚀")
        #expect(EmojiJoining().reduce("🏳️‍🌈") == "🏳️")
        #expect(EmojiJoining().reduce("क\u{94D}\u{200D}") == "क\u{94D}\u{200D}")
    }

    @Test("a locale without a character shows a question mark, and keeps what it has")
    func otherLocales() {
        var latin = encoder
        latin.isUnicode = false
        #expect(ink("é", width: 1, latin) == .curses(["é"]))
        #expect(ink("漢", width: 2, latin) == .missing)
        #expect(ink("👍", width: 2, latin) == .missing)
        #expect(ink("a", width: 1, latin) == .curses(["a"]))
        latin.isEncodable = { $0.isASCII }
        #expect(ink("e\u{301}", width: 1, latin) == .curses(["e"]))
        #expect(ink("1\u{20E3}", width: 1, latin) == .missing)
        #expect(ink("…", width: 1, latin) == .curses(["~"]))
        #expect(ink("⟨", width: 1, latin) == .curses(["<"]))
    }

    @Test(
        "who joins emoji is known by name, and inside tmux that is tmux",
        arguments: [
            (["TERM": "xterm-256color"], EmojiJoining()), (["TERM": "xterm-kitty"], [.sequences, .skinTones]),
            (["TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"], [.sequences, .skinTones]),
            (["TERM": "screen-256color", "TMUX": "/x", "TERM_PROGRAM": "iTerm.app"], .sequences),
            (["TERM": "tmux-256color"], []), ([:], []),
        ] as [([String: String], EmojiJoining)])
    func joining(environment: [String: String], expected: EmojiJoining) {
        #expect(EmojiJoining.known(environment: environment) == expected)
    }

    @Test("padding in a terminal's description is not sent")
    func padding() {
        #expect(TerminalDescription.withoutPadding("\u{1B}[H$<5>x$<10/>") == Array("\u{1B}[Hx".utf8))
        #expect(TerminalDescription.withoutPadding("a$b$<") == Array("a$b$<".utf8))
    }

    @Test(
        "a locale's name tells whether it wants UTF-8",
        arguments: [
            ("en_US.UTF-8", true), ("de_DE.utf8@euro", true), ("C", false), ("", false), ("ja_JP.eucJP", false),
        ])
    func localeNames(name: String, expected: Bool) {
        #expect(TerminalLocale.namesUTF8(name) == expected)
    }
}
