import Foundation
import Glibc
import TestSupport
import Testing

private let enters = "\u{1B}[?1049h"
private let leaves = "\u{1B}[?1049l"

/// A way for a program to end.
struct Ending: CustomTestStringConvertible, Sendable {
    var name: String
    var keys = ""
    var signal: Int32?
    /// The exit code, or the negative number of a signal.
    var result: Int32

    var testDescription: String { name }

    static let all = [
        Ending(name: "it closes the screen", keys: "q", result: 0),
        Ending(name: "it calls exit()", keys: "x", result: 3),
        Ending(name: "it throws", keys: "e", result: trap),
        Ending(name: "it traps", keys: "t", result: trap),
        Ending(name: "it aborts", keys: "a", result: -SIGABRT),
        Ending(name: "it reads from nowhere", keys: "s", result: -SIGSEGV),
        Ending(name: "its stack overflows", keys: "o", result: -SIGSEGV),
        Ending(name: "TERM", signal: SIGTERM, result: 143),
        Ending(name: "HUP", signal: SIGHUP, result: 129),
        Ending(name: "INT", signal: SIGINT, result: 130),
        Ending(name: "QUIT", signal: SIGQUIT, result: 131),
        Ending(name: "SEGV from outside", signal: SIGSEGV, result: -SIGSEGV),
        Ending(name: "ABRT from outside", signal: SIGABRT, result: -SIGABRT),
        Ending(name: "BUS from outside", signal: SIGBUS, result: -SIGBUS),
    ]

    #if arch(x86_64)
        private static let trap = -SIGILL
    #else
        private static let trap = -SIGTRAP
    #endif
}

@Suite("On a pseudo-terminal", .blocks, .serialized)
struct PseudoTerminalTests {
    /// The probe with its first frame shown.
    private func started(
        columns: UInt16 = 80, rows: UInt16 = 24, _ environment: [String: String] = [:]
    ) throws -> PseudoTerminal {
        let terminal = try PseudoTerminal(columns: columns, rows: rows, environment)
        try #require(terminal.shows("event none", "size \(columns)×\(rows)"), "\(terminal.text.debugDescription)")
        settle(terminal)
        return terminal
    }

    /// Waits until nothing more is being written.
    private func settle(_ terminal: PseudoTerminal) {
        var quiet = 0
        _ = holds {
            quiet = terminal.drain() == 0 ? quiet + 1 : 0
            return quiet == 10
        }
    }

    private func expectRestored(_ terminal: PseudoTerminal) {
        #expect(terminal.modes == terminal.originalModes)
        for (on, off) in [
            (enters, leaves), ("\u{1B}[?2004h", "\u{1B}[?2004l"), ("\u{1B}[?1000h", "\u{1B}[?1000l"),
            ("\u{1B}[?1006h", "\u{1B}[?1006l"), ("\u{1B}[?1h", "\u{1B}[?1l"), ("\u{1B}[?25l", "\u{1B}[?25h"),
        ] {
            let text = terminal.text
            guard let lastOn = text.range(of: on, options: .backwards) else { continue }
            #expect(text[lastOn.upperBound...].contains(off), "\(off.debugDescription) after \(on.debugDescription)")
        }
        #expect(terminal.text.contains(leaves))
    }

    @Test("the terminal is as it was, however the program ends", arguments: Ending.all)
    func restores(ending: Ending) throws {
        let terminal = try PseudoTerminal()
        try #require(terminal.shows("event none"))
        #expect(terminal.modes != terminal.originalModes)
        terminal.type(ending.keys)
        if let signal = ending.signal { terminal.signal(signal) }
        #expect(terminal.end() == ending.result)
        expectRestored(terminal)
    }

    @Test("a program that hangs is ended by a second signal a second later, and the terminal is as it was")
    func restoresFromDeafProgram() throws {
        let terminal = try PseudoTerminal()
        try #require(terminal.shows("event none"))
        terminal.type("h")
        let sent = ContinuousClock.now
        // Until the second is over each one is only noted.
        var last = sent
        let ended = holds {
            if ContinuousClock.now - last > .milliseconds(100) {
                terminal.signal(SIGTERM)
                last = .now
            }
            terminal.drain()
            return terminal.text.contains(leaves)
        }
        #expect(ended)
        #expect(ContinuousClock.now - sent >= .seconds(1))
        #expect(terminal.end() == -SIGTERM)
        expectRestored(terminal)
    }

    @Test("a terminal that is closed hangs the program up, or ends its input where it will not hear of that")
    func hangUp() throws {
        let terminal = try started()
        terminal.hangUp()
        let result = terminal.end()
        #expect(result == 129 || result == 0)
        let deaf = try PseudoTerminal(ignoringHangUp: true)
        try #require(deaf.shows("event none"))
        deaf.signal(SIGHUP)
        deaf.type("n")
        try #require(deaf.shows("key(n)"))
        deaf.hangUp()
        #expect(deaf.end() == 0)
    }

    @Test("while nothing happens nothing is written and no CPU is used")
    func idleIsFree() throws {
        let terminal = try started()
        let ticks = try #require(terminal.cpuTicks)
        usleep(500_000)
        #expect(terminal.drain() == 0)
        #expect(terminal.cpuTicks == ticks)
    }

    @Test("a small change is a few bytes, and no change is none")
    func paintsLittle() throws {
        let terminal = try started(columns: 120, rows: 36)
        settle(terminal)
        #expect(terminal.output.count < 12_000)
        /// The bytes that answer these keys.
        func answer(_ keys: String) throws -> Int {
            let start = terminal.output.count
            terminal.type(keys)
            try #require(holds { terminal.drain() > 0 })
            settle(terminal)
            return terminal.output.count - start
        }
        #expect(try answer("n") < 250)
        _ = try answer("n")
        _ = try answer("m")
        let once = try answer("j")
        #expect(once < 40)
        _ = try answer("m")
        // The scene shows the last key: the same one again changes nothing.
        #expect(try answer("mmmmmmj") == once)
    }

    @Test(
        "keys, mouse and pastes come in",
        arguments: [
            ("\u{1B}", "Esc"), ("\u{1B}OA", "Up"), ("\u{1B}[15~", "F5"), ("\u{1B}j", "Alt-j"), ("\u{3}", "Ctrl-C"),
            ("\u{1A}", "resumed"), ("漢", "key(漢)"), ("\u{1B}[<0;7;5M", "mouse("),
            ("\u{1B}[200~x\ry\u{1B}[201~", "paste("),
            ("\u{1C}", "Ctrl-\\"), ("\u{13}", "Ctrl-S"), ("\r", "Enter"), ("\n", "Ctrl-J"), ("\t", "Tab"),
        ])
    func input(bytes: String, shown: String) throws {
        let terminal = try started()
        let start = terminal.output.count
        terminal.type(bytes)
        #expect(terminal.shows(shown, after: start), "\(terminal.text.suffix(200).debugDescription)")
    }

    @Test("a character whose bytes come one by one is one key")
    func splitCharacter() throws {
        let terminal = try started()
        for byte in Array("漢".utf8) {
            terminal.type([byte])
            usleep(1000)
        }
        #expect(terminal.shows("key(漢)"))
    }

    @Test("a new window size is told and painted")
    func resizes() throws {
        let terminal = try started()
        for (columns, rows) in [(120, 36), (60, 18), (30, 8), (1, 1), (80, 24)] as [(UInt16, UInt16)] {
            let start = terminal.output.count
            terminal.resize(columns: columns, rows: rows)
            if columns > 1 { #expect(terminal.shows("size \(columns)×\(rows)", after: start)) }
        }
        terminal.type("q")
        #expect(terminal.end() == 0)
    }

    @Test("the terminal can be handed over for a while")
    func suspends() throws {
        let terminal = try started()
        let start = terminal.output.count
        terminal.type("p")
        try #require(terminal.shows(leaves, "meanwhile\r\n", enters, "number 0", after: start))
        let seen = String(decoding: terminal.output[start...], as: UTF8.self)
        let left = try #require(seen.range(of: leaves))
        let meanwhile = try #require(seen.range(of: "meanwhile"))
        let entered = try #require(seen.range(of: enters))
        #expect(left.lowerBound < meanwhile.lowerBound && meanwhile.lowerBound < entered.lowerBound)
        #expect(terminal.shows("key(p)", after: start))
    }

    @Test("a screen can be opened again after it was closed, but not twice")
    func reopens() throws {
        let terminal = try started()
        for _ in 0..<3 {
            let start = terminal.output.count
            terminal.type("r")
            try #require(terminal.shows(leaves, enters, "number 0", after: start))
        }
        terminal.type("d")
        #expect(terminal.shows("1000"))
        terminal.type("q")
        #expect(terminal.end() == 0)
        expectRestored(terminal)
    }

    @Test("Ctrl-L paints everything anew")
    func repaints() throws {
        let terminal = try started()
        let start = terminal.output.count
        terminal.type("\u{C}")
        #expect(terminal.shows("CJK 漢字", "👨", "┌──", "┘", after: start))
    }

    @Test("the clipboard and the bell reach the terminal")
    func messages() throws {
        let terminal = try started()
        terminal.type("c")
        #expect(terminal.shows("\u{1B}]52;c;Y29waWVk\u{7}"))
        settle(terminal)
        let start = terminal.output.count
        terminal.type("b")
        #expect(terminal.shows("\u{7}", after: start))
    }

    @Test(
        "where there is no screen to be had a sentence says why, and the terminal is not touched",
        arguments: [
            (["TERM": "dumb"], "TERM names no terminal that can show a screen"),
            (["TERM": ""], "TERM names no terminal that can show a screen"),
            (["TERM": "no-such-terminal"], "the terminal type \"no-such-terminal\" is not known here"),
        ])
    func noScreen(environment: [String: String], sentence: String) throws {
        let terminal = try PseudoTerminal(environment)
        #expect(terminal.end() == 9)
        #expect(terminal.text.contains("no screen: \(sentence)"))
        #expect(!terminal.text.contains("\u{1B}"))
        #expect(terminal.modes == terminal.originalModes)
    }

    @Test("where input is no terminal, there is no screen")
    func inputIsAFile() throws {
        let terminal = try PseudoTerminal(input: "/dev/null")
        #expect(terminal.end() == 9)
        #expect(terminal.text.contains("no screen: standard input is not a terminal"))
    }

    @Test("NO_COLOR leaves attributes only")
    func noColor() throws {
        let terminal = try started(["NO_COLOR": "1"])
        let colors = try Regex("\u{1B}\\[([0-9;]*;)?([34][0-9]|9[0-7]|10[0-7])(;[0-9;]*)?m")
        #expect(try started().text.firstMatch(of: colors) != nil)
        #expect(terminal.text.firstMatch(of: colors) == nil)
        #expect(terminal.text.contains("\u{1B}[1m") || terminal.text.contains("\u{1B}[0;1m"))
        #expect(try started(["NO_COLOR": ""]).text.firstMatch(of: colors) != nil)
    }

    @Test("a VT100 gets what it knows, and nothing of what came later")
    func vt100() throws {
        let terminal = try PseudoTerminal(["TERM": "vt100"])
        try #require(terminal.shows("event none"))
        #expect(!terminal.text.contains("\u{1B}[?2004h"))
        #expect(!terminal.text.contains("\u{1B}[?1000h"))
        terminal.signal(SIGABRT)
        #expect(terminal.end() == -SIGABRT)
        #expect(terminal.modes == terminal.originalModes)
        #expect(!terminal.text.contains("\u{1B}[?2004"))
    }

    @Test("a locale without Unicode gets ASCII only")
    func asciiLocale() throws {
        let terminal = try PseudoTerminal(["LC_ALL": "C"])
        try #require(terminal.shows("event none"))
        #expect(terminal.output.allSatisfy { $0 < 0x80 })
        #expect(terminal.text.contains("CJK ? ?"), "\(terminal.text.debugDescription)")
        #expect(terminal.text.contains("+-"))
    }

    @Test("a locale in UTF-8 that is not installed is as good as one that is")
    func missingLocale() throws {
        let terminal = try PseudoTerminal(["LC_ALL": "xx_XX.UTF-8"])
        #expect(terminal.shows("漢字", "┌"))
    }

    @Test("a terminal with direct colours gets them unreduced")
    func directColors() throws {
        let directory = try ScratchDirectory()
        let source = """
            probe-direct|xterm with direct colours,
            \tRGB, colors#0x1000000, pairs#0x7fff,
            \tsetaf=\\E[%?%p1%{8}%<%t3%p1%d%e38;2;%p1%{65536}%/%d;%p1%{256}%/%{255}%&%d;%p1%{255}%&%d%;m,
            \tsetab=\\E[%?%p1%{8}%<%t4%p1%d%e48;2;%p1%{65536}%/%d;%p1%{256}%/%{255}%&%d;%p1%{255}%&%d%;m,
            \tuse=xterm-256color,

            """
        try source.write(toFile: directory.file("source"), atomically: true, encoding: .utf8)
        let (status, output) = runCommand(
            ["tic", "-x", "-o", directory.path, directory.file("source")], in: directory)
        try #require(status == 0, "tic, of ncurses-bin, has to be installed: \(output)")
        let terminal = try started(["TERM": "probe-direct", "TERMINFO": directory.path])
        #expect(terminal.text.contains("38;2;255;128;0"))
        #expect(terminal.text.contains("\u{1B}[33m"))
    }
}
