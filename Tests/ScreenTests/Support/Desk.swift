import Foundation
import Testing

/// Somebody at a terminal: a shell with job control in a tmux of its own, and `rolecall` on it.
final class Desk {
    let scratch: Scratch
    let server: Server
    private let socket = "rolecall-screen-\(UUID().uuidString)"

    /// - Parameter state: the directory of saved logins; one of its own without it.
    init(_ server: Server, columns: Int = 80, rows: Int = 24, state: String? = nil) throws {
        self.server = server
        scratch = try Scratch()
        let configuration = "set -g default-terminal tmux-256color\nset -g escape-time 0\nset -g status off\n"
        try configuration.write(toFile: scratch.path("tmux.conf"), atomically: true, encoding: .utf8)
        try tmux("new-session", "-d", "-x", "\(columns)", "-y", "\(rows)", "bash --norc --noprofile -i")
        try type("PS1='$ '; export XDG_STATE_HOME='\(state ?? scratch.path("state"))' ROLECALL_SERVER=\(server.url); clear\n")
    }

    deinit { _ = try? tmux("kill-server") }

    @discardableResult
    func tmux(_ arguments: String...) throws -> String {
        try runShell("tmux", ["-u", "-L", socket, "-f", scratch.path("tmux.conf")] + arguments)
    }

    /// Starts the program. Its exit code and the terminal's modes before and after it are left in files.
    func start(_ arguments: String = "", environment: String = "", expecting text: String) throws {
        let (before, after, code) = (scratch.path("before"), scratch.path("after"), scratch.path("code"))
        try type("stty -a > '\(before)'; \(environment) '\(Programs.client().path)' \(arguments); ")
        try type("echo $? > '\(code)'; stty -a > '\(after)'\n")
        try expect(text)
    }

    /// Starts it and logs in by its form.
    func startAs(_ email: String, _ password: String, _ arguments: String = "") throws {
        try start(arguments, expecting: "stay signed in")
        try expect("online")
        try type(email)
        try press("Enter")
        try type(password)
        try press("Enter")
        try expect("you are \(email)")
    }

    func type(_ text: String) throws { try tmux("send-keys", "-l", text) }

    /// Presses keys by tmux's names for them.
    func press(_ keys: String...) throws {
        for key in keys { try tmux("send-keys", key) }
    }

    /// Pastes as a terminal does for a program that asked to know of it.
    func paste(_ text: String) throws {
        let file = scratch.path("paste")
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        try tmux("load-buffer", file)
        try tmux("paste-buffer", "-p")
    }

    func resize(_ columns: Int, _ rows: Int) throws {
        try tmux("resize-window", "-x", "\(columns)", "-y", "\(rows)")
    }

    func rows() throws -> [String] {
        try tmux("capture-pane", "-p").split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    /// All of it, to be read in a failure.
    var screen: String { (try? rows().joined(separator: "\n")) ?? "There is no screen." }

    func row(_ text: String) throws -> String { try rows().first { $0.contains(text) } ?? "" }

    /// Waits until a text is on the screen.
    func expect(_ text: String, location: SourceLocation = #_sourceLocation) throws {
        let isThere = try holds { try rows().contains { $0.contains(text) } }
        try #require(isThere, "\(text) is not on the screen:\n\(screen)", sourceLocation: location)
    }

    func shows(_ text: String) throws -> Bool { try rows().contains { $0.contains(text) } }

    /// The program's process.
    func client() throws -> pid_t {
        let shell = try tmux("display-message", "-p", "#{pane_pid}").trimmingCharacters(in: .whitespacesAndNewlines)
        let found = try runShell("pgrep", ["-P", shell, "-x", "rolecall"])
        return try #require(pid_t(found.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    /// The exit code, as soon as the program has ended.
    func exitCode() throws -> Int? {
        _ = holds { scratch.read("after")?.hasSuffix("\n") == true }
        return scratch.read("code").flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    /// Whether modes, alternate screen, cursor, mouse and keypad are as they were before the program.
    func isRestored() throws -> Bool {
        guard scratch.read("before") == scratch.read("after"), scratch.read("after")?.contains("iexten") == true else {
            return false
        }
        return try flags() == "0100"
    }

    /// Other screen, cursor shown, mouse, application keys.
    func flags() throws -> String {
        try tmux("display-message", "-p", "#{alternate_on}#{cursor_flag}#{mouse_any_flag}#{keypad_cursor_flag}")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
