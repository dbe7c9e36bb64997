import Foundation
import Testing

@Suite("Tools on the screen", .serialized, .timeLimit(.minutes(2)))
struct ToolScreenTests {
    @Test("a row folds in the pane, and what is copied comes through tmux into its buffer, as JSON")
    func detailAndCopy() async throws {
        let server = try await Server()
        let desk = try await Desk(server, columns: 120, rows: 36)
        // Other tests' configuration does not ask tmux to take what programs copy.
        try await desk.tmux("set-option", "-g", "set-clipboard", "on")
        try await desk.startAs("admin@example.com", "admin")
        try await server.add("boiler 3", info: "a\u{1B}[2Jb")
        try await desk.expect("! thing    boiler 3")
        try await desk.press("Enter", "F6")
        try await desk.expect("[J]son [D]iff [R]aw")
        try await desk.press("Enter")
        try await desk.expect("members}")
        try await desk.press("+", "y")
        try await desk.expect("copied 1 event")
        var copied = ""
        let isThere = try await holds {
            copied = try await desk.tmux("show-buffer")
            return copied.contains("boiler 3")
        }
        #expect(isThere, "\(copied)")
        let json = try JSONSerialization.jsonObject(with: Data(copied.utf8)) as? [String: Any]
        #expect(json?["model"] as? String == "thing")
        #expect(json?["kind"] as? String == "event")
        #expect(!copied.contains("\u{1B}"))
        try await desk.press("R")
        try await desk.expect("[\"thing:save\",{")
    }

    @Test("what was recorded is replayed without a server, and exported from there")
    func recording() async throws {
        let server = try await Server()
        let desk = try await Desk(server)
        let (night, out) = (desk.scratch.path("night.jsonl"), desk.scratch.path("out.jsonl"))
        try await desk.startAs("admin@example.com", "admin")
        try await desk.type(":record \(night)")
        try await desk.press("Enter")
        try await desk.expect("Recording to")
        try await server.add("boiler 7")
        try await desk.expect("boiler 7")
        try await desk.type("/record off")
        try await desk.press("Enter")
        try await desk.expect("Recorded 1 line")
        try await desk.press("F10")
        #expect(try await desk.exitCode() == 0)
        server.kill()
        for (columns, rows) in [(120, 36), (80, 24), (60, 18), (30, 8)] {
            try await desk.resize(columns, rows)
            try await desk.type("clear\n")
            try await desk.start("replay '\(night)' --instant", expecting: "the recording ends")
            try await desk.expect("replay")
            #expect(try await holds { try await desk.row("boiler 7").contains("+") })
            if columns == 80 {
                try await desk.press("F5")
                try await desk.expect("there is no server to ask")
                try await desk.type(":export \(out) model:thing")
                try await desk.press("Enter")
                try await desk.expect("Exported 1 event")
            }
            try await desk.press("F10")
            #expect(try await desk.exitCode() == 0)
        }
        let lines = try String(contentsOfFile: out, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 1)
        #expect(lines.first?.contains("boiler 7") == true)
        try await desk.type("clear\n")
        try await desk.start("replay '\(desk.scratch.path("none"))'", expecting: "there is no such file")
        #expect(try await desk.exitCode() == 2)
    }

    @Test("the palette and the search in the help find what is asked for, at every size")
    func palette() async throws {
        let server = try await Server()
        let desk = try await Desk(server)
        try await desk.startAs("admin@example.com", "admin")
        for (columns, rows) in [(120, 36), (60, 18), (30, 8), (80, 24)] {
            try await desk.resize(columns, rows)
            try await desk.press("F9")
            try await desk.expect("[PALETTE]")
            try await desk.type("round trip")
            try await desk.expect(">/ping")
            try await desk.press("F9")
            try await desk.expect("[LIST]")
            try await desk.press("F1")
            try await desk.expect("[HELP]")
            try await desk.type("/round trip")
            try await desk.expect("[FIND]")
            try await desk.expect("/ping")
            try await desk.press("Escape")
            try await desk.expect("[HELP]")
            try await desk.press("F1")
            try await desk.expect("[LIST]")
        }
        try await desk.press("F9")
        try await desk.type("quit")
        try await desk.press("Enter")
        #expect(try await desk.exitCode() == 0)
        #expect(try await desk.isRestored())
    }

    @Test("the configuration file binds keys, chooses colours, and is told where it is wrong; rooms and their prompt")
    func configuration() async throws {
        let server = try await Server()
        let desk = try await Desk(server)
        let directory = desk.scratch.url.appendingPathComponent("rolecall")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try "set theme mono\nbind list o open\nbind list z opne\nset server \(server.url)\n".write(
            to: directory.appendingPathComponent("config"), atomically: true, encoding: .utf8)
        let state = desk.scratch.path("logins")
        try await server.client(
            "login", "--email", "admin@example.com", "--password-stdin", state: state, input: "admin\n")
        try await server.client("send", "all quiet", "--room", "ops", state: state)
        try await desk.start(
            environment: "XDG_CONFIG_HOME='\(desk.scratch.url.path)' XDG_STATE_HOME='\(state)' ROLECALL_SERVER=",
            expecting: "you are admin@example.com")
        try await desk.expect("config line 3: There is no request opne; did you mean open?")
        try await desk.expect("1 mistake")
        try await desk.press("w")
        try await desk.expect("o open")
        try await server.add("boiler 9")
        try await desk.expect("boiler 9")
        let drawn = try await desk.tmux("capture-pane", "-p", "-e")
        #expect(!drawn.contains("\u{1B}[32m"))
        try await desk.press("o")
        try await desk.expect("v1 of 1")
        try await desk.press("o")
        #expect(try await holds { try await !desk.shows("v1 of 1") })
        try await desk.type(":join ops")
        try await desk.press("Enter")
        try await desk.expect("room ops: the last message")
        try await desk.expect("[ops]>")
        try await desk.type("and still")
        try await desk.press("Enter")
        try await desk.expect("[ops] and still")
        try await desk.type("/leave")
        try await desk.press("Enter")
        try await desk.expect("left ops")
        try await desk.type("/theme dark")
        try await desk.press("Enter")
        #expect(try await holds { try await desk.tmux("capture-pane", "-p", "-e").contains("\u{1B}[32m") })
    }
}
