import Foundation
import Glibc
import Terminal
import TestSupport
import Testing

@Suite("In tmux", .blocks, .serialized)
struct TmuxTests {
    private static let sizes = [
        Size(columns: 120, rows: 36), Size(columns: 80, rows: 24), Size(columns: 60, rows: 18),
        Size(columns: 30, rows: 8),
    ]

    /// The frame's border is where it belongs, whatever stands in the row.
    private func expectWhole(_ tmux: Tmux, _ size: Size) throws {
        let rows = try tmux.rows().prefix(size.rows)
        #expect(rows.count == size.rows)
        for (index, row) in rows.enumerated() {
            #expect(Tmux.width(of: row) == size.columns, "\(size): row \(index), \(row)")
            let edges = index == 0 ? "┌┐" : index == size.rows - 1 ? "└┘" : "││"
            #expect(row.first == edges.first && row.last == edges.last, "\(size): row \(index), \(row)")
        }
    }

    @Test("no text tears a row or the border, in any size", arguments: sizes)
    func nothingTears(size: Size) throws {
        let tmux = try Tmux(columns: size.columns, rows: size.rows)
        try tmux.startProbe()
        try expectWhole(tmux, size)
        if size.columns >= 60 {
            let text = try tmux.rows().joined(separator: "\n")
            for shown in ["漢字 かな 한글 ｆｕｌｌ", "👍🚀😀", "👨‍👩‍👧", "🇯🇵|", "❤️  ", "e\u{301}", "क्षि|", "␛[2J"] {
                #expect(text.contains(shown), "\(shown)")
            }
        }
    }

    @Test("emoji stay when the text around them changes, and go without a trace")
    func emojiComeAndGo() throws {
        let size = Size(columns: 60, rows: 18)
        let tmux = try Tmux(columns: size.columns, rows: size.rows)
        try tmux.startProbe()
        for number in 1...4 {
            try tmux.press("n")
            try #require(try tmux.shows("number \(number) 👍 \(number)"))
            let hasComeOrGone = try holds { try tmux.rows()[size.rows - 3].contains("🚀❤️") == (number % 2 == 1) }
            #expect(hasComeOrGone)
            let cursor = try tmux.run("display-message", "-p", "#{cursor_x},#{cursor_y}")
            #expect(cursor == "1,\(size.rows - 2)\n")
            try expectWhole(tmux, size)
        }
    }

    @Test("a window that is resized is painted anew, every cell of it")
    func resizes() throws {
        let tmux = try Tmux(columns: 80, rows: 24)
        try tmux.startProbe()
        for size in [Self.sizes[0], Self.sizes[3], Self.sizes[2], Self.sizes[1]] {
            try tmux.resize(columns: size.columns, rows: size.rows)
            try #require(try tmux.shows("size \(size)"))
            try expectWhole(tmux, size)
        }
    }

    @Test(
        "a signal leaves the terminal as it was",
        arguments: [
            (SIGTERM, "ended 143"), (SIGHUP, "ended 129"), (SIGINT, "ended 130"), (SIGQUIT, "ended 131"),
            (SIGSEGV, "ended 139"), (SIGABRT, "ended 134"),
        ])
    func signals(number: Int32, told: String) throws {
        let tmux = try Tmux(columns: 80, rows: 24)
        try tmux.startProbe()
        #expect(try tmux.flags() != Tmux.restoredFlags)
        kill(try tmux.probe(), number)
        #expect(try tmux.shows(told))
        #expect(try tmux.isRestored())
    }

    @Test(
        "Ctrl-Z gives the shell its terminal back, and fg paints what is to be seen then", arguments: ["C-z", "TSTP"])
    func stopsAndContinues(how: String) throws {
        let tmux = try Tmux(columns: 80, rows: 24)
        try tmux.startProbe()
        if how == "TSTP" { kill(try tmux.probe(), SIGTSTP) } else { try tmux.press(how) }
        try #require(try tmux.shows("Stopped"))
        try tmux.type("stty -a > stopped\n")
        #expect(try tmux.isRestored("stopped"))
        try tmux.resize(columns: 60, rows: 18)
        try tmux.type("fg\n")
        try #require(try tmux.shows("event resumed"))
        try expectWhole(tmux, Size(columns: 60, rows: 18))
        // And a second time, as if it were the first.
        try tmux.press("C-z")
        try #require(try tmux.isHandedBack())
        try tmux.type("fg\n")
        try #require(try tmux.shows("size 60×18"))
        try tmux.press("n")
        #expect(try tmux.shows("number 1"))
        try tmux.press("q")
        try #require(try tmux.isHandedBack())
        try tmux.type("stty -a > last\n")
        #expect(try tmux.isRestored("last"))
    }

    @Test("a program that was stopped without notice paints itself anew when it goes on")
    func survivesStop() throws {
        let tmux = try Tmux(columns: 80, rows: 24)
        try tmux.startProbe()
        kill(try tmux.probe(), SIGSTOP)
        try #require(try tmux.shows("Stopped"))
        try tmux.type("fg\n")
        try #require(try tmux.shows("event resumed"))
        try expectWhole(tmux, Size(columns: 80, rows: 24))
        try tmux.press("q")
        #expect(try tmux.isHandedBack())
    }

    @Test("a paste arrives as a paste, and keys by their names")
    func input() throws {
        let tmux = try Tmux(columns: 120, rows: 24)
        try tmux.startProbe()
        try tmux.run("set-buffer", "two\nlines")
        try tmux.run("paste-buffer", "-p")
        #expect(try tmux.shows("paste(Terminal.Paste(text: \"two\\nlines\", isTruncated: false))"))
        for (name, key) in [
            ("F5", "F5"), ("M-1", "Alt-1"), ("C-Left", "Ctrl-Left"), ("BTab", "Shift-Tab"), ("Escape", "Esc"),
        ] {
            try tmux.press(name)
            #expect(try tmux.shows("event key(\(key))"))
        }
    }
}
