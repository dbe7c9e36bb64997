import Foundation
import Testing

@Suite("The terminal afterwards", .serialized, .timeLimit(.minutes(2)))
struct TerminalScreenTests {
    @Test(
        "is as it was, and the exit code says why, after each way to leave",
        arguments: [
            ("F10", nil, 0), ("q", nil, 0), ("C-c C-c", nil, 0), ("", SIGTERM, 143), ("", SIGINT, 130), ("", SIGHUP, 129),
            ("", SIGQUIT, 131),
        ] as [(String, Int32?, Int)])
    func leaving(keys: String, signal: Int32?, code: Int) throws {
        let server = try Server()
        let desk = try Desk(server)
        try desk.startAs("test@example.com", "test")
        #expect(try desk.flags().hasPrefix("1"))
        for key in keys.split(separator: " ") { try desk.press(String(key)) }
        if let signal { kill(try desk.client(), signal) }
        #expect(try desk.exitCode() == code)
        #expect(try desk.isRestored(), "\(desk.screen)")
    }

    @Test("is the shell's after Ctrl-Z, and the screen's again after fg, with what came meanwhile")
    func suspending() throws {
        let server = try Server()
        let desk = try Desk(server)
        try desk.startAs("test@example.com", "test")
        try desk.press("C-z")
        try desk.expect("Stopped")
        let isGivenBack = try holds { try desk.flags() == "0100" }
        #expect(isGivenBack)
        try server.add("while away")
        try desk.type("fg\n")
        try desk.expect("while away")
        try desk.expect("test@example.com (user)")
        try desk.press("q")
        #expect(try desk.exitCode() == 0 || desk.exitCode() == 148)
        let isRestored = try holds { try desk.flags() == "0100" }
        #expect(isRestored)
    }

    @Test("NO_COLOR leaves no colour, and a VT100 will do", arguments: ["NO_COLOR=1", "TERM=vt100"])
    func plain(environment: String) throws {
        let server = try Server()
        let desk = try Desk(server)
        try desk.start(environment: environment, expecting: "stay signed in")
        try desk.expect("online")
        let painted = try desk.tmux("capture-pane", "-p", "-e")
        #expect(painted.matches(of: /\e\[[0-9;]*m/).allSatisfy { match in
            match.output.dropFirst(2).dropLast().split(separator: ";").allSatisfy { !((30...49).contains(Int($0) ?? 0)) || $0 == "39" || $0 == "49" }
        })
    }
}
