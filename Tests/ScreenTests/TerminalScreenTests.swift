import Foundation
import Testing

@Suite("The terminal afterwards", .serialized, .timeLimit(.minutes(2)))
struct TerminalScreenTests {
    @Test(
        "is as it was, and the exit code says why, after each way to leave",
        arguments: [
            ("F10", nil, 0), ("q", nil, 0), ("C-c C-c", nil, 0), ("", SIGTERM, 143), ("", SIGINT, 130),
            ("", SIGHUP, 129),
            ("", SIGQUIT, 131),
        ] as [(String, Int32?, Int)])
    func leaving(keys: String, signal: Int32?, code: Int) async throws {
        let server = try await Server()
        let desk = try await Desk(server)
        try await desk.startAs("test@example.com", "test")
        #expect(try await desk.flags().hasPrefix("1"))
        for key in keys.split(separator: " ") { try await desk.press(String(key)) }
        if let signal { kill(try await desk.client(), signal) }
        #expect(try await desk.exitCode() == code)
        #expect(try await desk.isRestored())
    }

    @Test("is the shell's after Ctrl-Z, and the screen's again after fg, with what came meanwhile")
    func suspending() async throws {
        let server = try await Server()
        let desk = try await Desk(server)
        try await desk.startAs("test@example.com", "test")
        try await desk.press("C-z")
        try await desk.expect("Stopped")
        let isGivenBack = try await holds { try await desk.flags() == "0100" }
        #expect(isGivenBack)
        try await server.add("while away")
        try await desk.type("fg\n")
        try await desk.expect("while away")
        try await desk.expect("test@example.com (user)")
        try await desk.press("q")
        let isRestored = try await holds { try await desk.flags() == "0100" }
        #expect(isRestored)
    }

    @Test("NO_COLOR leaves no colour, and a VT100 will do", arguments: ["NO_COLOR=1", "TERM=vt100"])
    func plain(environment: String) async throws {
        let server = try await Server()
        let desk = try await Desk(server)
        try await desk.start(environment: environment, expecting: "stay signed in")
        try await desk.expect("online")
        let painted = try await desk.tmux("capture-pane", "-p", "-e")
        #expect(
            painted.matches(of: /\e\[[0-9;]*m/).allSatisfy { match in
                match.output.dropFirst(2).dropLast().split(separator: ";").allSatisfy {
                    !((30...49).contains(Int($0) ?? 0)) || $0 == "39" || $0 == "49"
                }
            })
    }
}
