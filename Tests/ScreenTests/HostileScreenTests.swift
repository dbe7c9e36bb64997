import Foundation
import Testing

@Suite("Hostile text in a terminal", .serialized, .timeLimit(.minutes(6)))
struct HostileScreenTests {
    @Test(
        "what others wrote sends the terminal nothing but the program's own sequences, and tears no row",
        arguments: [("xterm-256color", "C.UTF-8"), ("screen", "C.UTF-8"), ("vt100", "C")])
    func hostile(terminal: String, locale: String) async throws {
        let server = try await Server()
        let desk = try await Desk(server, columns: 120, rows: 36)
        let night = desk.scratch.path("night.jsonl")
        try recording().write(toFile: night, atomically: true, encoding: .utf8)
        try await desk.keepOutput()
        try await desk.start(
            "replay '\(night)' --instant", environment: "TERM=\(terminal) LC_ALL=\(locale)",
            expecting: "the recording ends")
        for (columns, rows) in [(120, 36), (80, 24), (60, 18), (30, 8)] {
            try await desk.resize(columns, rows)
            try await expectMode("LIST", desk, rows)
            for key in ["D", "R", "J"] { try await desk.press(key, "PageUp", "PageUp", "Up") }
            try await desk.press("Escape")
            try await expectMode("LIST", desk, rows)
            try await desk.press("End", "w", "PageUp", "End", "w", "End")
            try await pauseAndFollow(desk)
            let before = try await desk.restingRows()
            // Painting anew changes nothing: what is on the glass is what was meant to be.
            try await desk.press("C-l")
            try await pauseAndFollow(desk)
            let isSame = try await holds { try await Array(desk.rows().dropFirst()) == before }
            #expect(isSame, "\(before.joined(separator: "\n"))")
        }
        try await desk.quit()
        let raw = RawOutput(try desk.output())
        #expect(raw.faults == [])
        #expect(raw.messages == [])
        #expect(try await !desk.tmux("display-message", "-p", "#{pane_title}").contains("owned"))
    }

    private func expectMode(_ mode: String, _ desk: Desk, _ rows: Int) async throws {
        let isThere = try await holds {
            let shown = try await desk.rows()
            return shown.count == rows && shown.contains { $0.hasPrefix("[\(mode)]") }
        }
        #expect(isThere)
    }

    /// When both have been seen, all keys before have been taken and what they had the screen say is gone.
    private func pauseAndFollow(_ desk: Desk) async throws {
        try await desk.press("F8")
        try await desk.expect("PAUSED")
        try await desk.press("F8")
        try await desk.expect("FOLLOW")
    }

    /// Every C0 and C1, sequences, bidi, joiners and halves of surrogate pairs, in every place of a line.
    private func recording() -> String {
        let controls = (Array(0..<0x20) + Array(0x7F..<0xA0)).map {
            #"a\u00\#($0 < 16 ? "0" : "")\#(String($0, radix: 16))b"#
        }
        let texts =
            stride(from: 0, to: controls.count, by: 8).map { controls[$0..<min($0 + 8, controls.count)].joined() } + [
                #"\u001b[2J\u001b[1;1Hgone\u001b]0;owned\u0007\u001b]8;;http://x\u0007"#,
                #"\u001b]52;c;b3duZWQ=\u0007"#,
                #"\u001bP$q\u001b\\\u001bc\u001b(0\u000e"#, #"\u009b2J\u009d0;owned\u009c\u0090q"#,
                #"\u202edrow\u2066\u200e\u061c"#, #"a\u200bb\u200d\u2060\ufeffc\u00ad"#,
                #"\ud800 a\udfff \ud83d\ud83d\udc4d"#,
                String(repeating: "x", count: 10_000), String(repeating: "大", count: 5000),
                "👩‍👩‍👧‍👦 👨🏽‍🚀 🏳️‍🌈 🇩🇪🇯🇵🇩 1️⃣", "z" + String(repeating: "\u{301}", count: 1000), "\u{1112}\u{1161}\u{11AB}\u{1161}",
            ]
        let lines = texts.enumerated().flatMap { number, text in
            [
                #"{"kind":"state","state":"online","socket":"\#(text)"}"#,
                #"{"kind":"identity","socket":"\#(text)","address":"\#(text)","epoch":1,"models":[],"reason":"\#(text)","#
                    + #""user":{"_id":1,"email":"\#(text)","name":"\#(text)","role":"\#(text)"}}"#,
                #"{"kind":"event","model":"m\#(text)","op":"updated","row":{"_id":"\#(text)","name":"\#(text)","#
                    + #""\#(text)":["\#(text)"]},"at":"2026-11-22T13:00:00.000Z","by":{"_id":1,"name":"\#(text)"},"#
                    + #""changed":["\#(text)"],"position":"00000000abcd-\#(String(0x1000_0000_0000_0000 + number, radix: 16))"}"#,
                #"{"kind":"event","event":"\#(text)","arguments":["\#(text)"]}"#,
                #"{"kind":"presence","user":{"_id":1,"name":"\#(text)","role":"\#(text)"},"sockets":1,"state":"joined"}"#,
            ]
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
