import Foundation
import TestSupport
import Testing

private let sizes = [(120, 36), (80, 24), (60, 18), (30, 8)]

@Suite("Kinds of terminals", .serialized, .timeLimit(.minutes(6)))
struct TerminalMatrixTests {
    /// As a program in a shell sees it, where the shell itself is in another kind of terminal.
    struct Kind: CustomTestStringConvertible {
        let terminal: String
        let locale: String
        var testDescription: String { "\(terminal), \(locale)" }
        var environment: String { "TERM=\(terminal) LC_ALL=\(locale)" }
        var isUnicode: Bool { locale != "C" }
        var hasColours: Bool { terminal != "vt100" }
    }

    @Test(
        "at each size one can sign in, see events, filter, search, look closer, get help, see who is on, and leave",
        arguments: ["xterm-256color", "screen", "vt100"].flatMap { terminal in
            ["C.UTF-8", "C"].map { Kind(terminal: terminal, locale: $0) }
        })
    func kinds(kind: Kind) async throws {
        let server = try await Server()
        let desk = try await Desk(server, columns: 120, rows: 36)
        try await desk.keepOutput()
        try await desk.start(environment: kind.environment, expecting: "stay signed in")
        try await desk.expect("online")
        try await desk.type("admin@example.com\tadmin")
        try await desk.press("Enter")
        try await desk.expect("you are admin@example.com")
        try await server.add("boiler 3", info: "ok 大")
        try await desk.expect("boiler 3")
        try await server.sqlite("UPDATE thing SET info = 'leak' WHERE name = 'boiler 3';")
        try await server.add("fan 1")
        try await desk.expect("fan 1")
        for (columns, rows) in sizes {
            try await desk.resize(columns, rows)
            try await expectWhole(desk, columns, rows, mode: "LIST", kind)
            try await desk.press("f")
            try await desk.type("boiler")
            try await desk.expect("[FILTER]")
            try await desk.press("Enter")
            #expect(try await holds { try await !desk.shows("fan 1") })
            try await desk.press("/")
            try await desk.type("leak")
            try await desk.press("Enter")
            try await desk.expect("Hit 1 of 1")
            try await expectWhole(desk, columns, rows, mode: "LIST", kind)
            try await desk.press("Enter")
            try await desk.expect("thing ")
            try await desk.press("D")
            try await desk.expect(rows > 8 ? #"+"info": "leak""# : #"-"info": "ok"#)
            try await expectWhole(desk, columns, rows, mode: columns >= 80 ? nil : "DETAIL", kind)
            // A key that comes in the same moment would be one with Alt.
            try await desk.press("Escape")
            #expect(try await holds { try await !desk.shows("v2 of 2") })
            try await desk.press("Escape")
            #expect(try await holds { try await !desk.shows("Hit 1 of 1") })
            try await desk.press("F")
            try await desk.expect("[FILTERS]")
            try await desk.press("D", "q")
            try await desk.expect("[LIST]")
            try await desk.press("End")
            try await desk.press("F1")
            try await desk.expect("Anywhere")
            try await expectWhole(desk, columns, rows, mode: "HELP", kind)
            try await desk.press("F1", "M-4")
            try await desk.expect("1 person on")
            try await expectWhole(desk, columns, rows, mode: "PEOPLE", kind)
            try await desk.press("Escape")
            try await desk.expect("[LIST]")
        }
        try await desk.quit()
        let raw = RawOutput(try desk.output())
        #expect(raw.faults == [])
        #expect(raw.hasColours == kind.hasColours)
        #expect(raw.looks.contains(1) && raw.looks.contains(7))
        if kind.terminal == "vt100" { #expect(raw.modes.isDisjoint(with: ["1000", "1049", "2004"])) }
    }

    /// State, identity, mode and the border are in sight, and the mode stands out.
    private func expectWhole(
        _ desk: Desk, _ columns: Int, _ rows: Int, mode: String?, _ kind: Kind,
        location: SourceLocation = #_sourceLocation
    ) async throws {
        var shown: [String] = []
        let isWhole = try await holds {
            shown = try await desk.rows()
            guard shown.count == rows else { return false }
            let footer = shown[(rows - 4)...].first { $0.hasPrefix("[") }
            return shown[0].contains("online") && shown[0].contains("(admin)")
                && footer?.hasPrefix(mode.map { "[\($0)]" } ?? "[") == true
                && shown[(rows - 5)...].contains { $0.hasPrefix(kind.isUnicode ? "──" : "--") }
        }
        #expect(isWhole, "\(columns)×\(rows)\n\(shown.joined(separator: "\n"))", sourceLocation: location)
        let looks = try await desk.tmux("capture-pane", "-p", "-e")
        let footer = looks.split(separator: "\n").last { $0.contains(mode.map { "[\($0)]" } ?? "]") } ?? ""
        // What stands directly before the mode: all the looks that it has.
        let sequences = footer.firstMatch(of: /((?:\e\[[\d;]*m)+)\[/)?.output.1 ?? ""
        let numbers = sequences.matches(of: /\d+/).compactMap { Int($0.output) }
        #expect(numbers.contains(1) && numbers.contains(7), "\(footer.debugDescription)", sourceLocation: location)
        if !kind.isUnicode {
            #expect(shown.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } }, sourceLocation: location)
        }
    }

    @Test("TERM=dumb gives plain lines, without any sequence", arguments: ["C.UTF-8", "C"])
    func dumb(locale: String) async throws {
        let server = try await Server()
        let desk = try await Desk(server)
        let state = desk.scratch.path("logins")
        try await server.client(
            "login", "--email", "admin@example.com", "--password-stdin", state: state, input: "admin\n")
        try await desk.keepOutput()
        try await desk.start(
            environment: "TERM=dumb LC_ALL=\(locale) XDG_STATE_HOME='\(state)'",
            expecting: "admin@example.com Admin (admin)")
        try await server.add("boiler \u{1B}[2J\u{9B}31m\u{202E}", info: "new")
        try await desk.expect("boiler")
        try await desk.press("C-c")
        #expect(try await desk.exitCode() == 130)
        // What the shell echoes is the shell's.
        let lines = String(decoding: try desk.output(), as: UTF8.self).split(whereSeparator: \.isNewline).filter {
            $0.contains("Admin (admin) until") || $0.contains("boiler")
        }
        #expect(lines.count >= 2)
        for line in lines where !line.contains("XDG_STATE_HOME") {
            let isPlain = line.unicodeScalars.allSatisfy {
                $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) && $0 != "\u{202E}" || $0 == "\r"
            }
            #expect(isPlain, "\(line.debugDescription)")
        }
    }

    @Test("three hundred sizes in a row, with keys and events between them, leave a screen that is what it should be")
    func storm() async throws {
        let server = try await Server()
        let desk = try await Desk(server)
        try await desk.startAs("admin@example.com", "admin")
        let program = try await desk.client()
        var generator = Seeded(7)
        let keys = [
            "j", "k", "Up", "PageUp", "End", "Enter", "d", "F1", "F7", "Escape", "w", "t", "F6", "/", "Escape", "x",
            "Escape",
        ]
        for batch in 0..<12 {
            // One call of tmux for many of them: they come faster than any can be drawn.
            var words: [String] = []
            for _ in 0..<25 {
                words += [
                    "resize-window", "-x", "\(1 + generator.below(300))", "-y", "\(1 + generator.below(100))", ";",
                ]
                words += ["send-keys", keys[generator.below(keys.count)], ";"]
            }
            try await runShell(
                "tmux", ["-u", "-L", desk.socket, "-f", desk.scratch.path("tmux.conf")] + words.dropLast())
            if batch % 3 == 0 { try await server.add("row \(batch) 大") }
        }
        try await desk.resize(80, 24)
        try await desk.press("Escape", "Escape", "Escape", "Escape", "Escape", "End")
        try await server.add("calm now")
        try await desk.expect("calm now")
        let isFitted = try await holds {
            let rows = try await desk.rows()
            return rows.count == 24 && rows[22].hasPrefix("[LIST]") && rows[0].contains("admin@example.com (admin)")
        }
        #expect(isFitted)
        #expect(try await desk.client() == program)
        // The storm may have begun a message, or a command.
        try await desk.press("i")
        try await desk.expect("[INPUT]")
        try await desk.press("C-u")
        try await desk.type("/time utc")
        try await desk.press("Enter")
        // A key that comes in the same moment as Escape would be one with Alt.
        try await desk.press("Escape")
        try await desk.expect("[LIST]")
        try await desk.press("k")
        try await desk.expect("PAUSED")
        // All but the clock and the rate, which go on.
        let before = try await desk.restingRows()
        try await desk.press("C-l", "F8")
        try await desk.expect("FOLLOW")
        try await desk.press("k")
        try await desk.expect("PAUSED")
        let isSame = try await holds { try await Array(desk.rows().dropFirst()) == before }
        #expect(isSame, "\(before.joined(separator: "\n"))")
    }
}
