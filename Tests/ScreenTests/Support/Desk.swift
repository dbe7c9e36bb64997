import Foundation
import Testing

/// Somebody at a terminal: a shell with job control in a tmux of its own, and `rolecall` on it.
final class Desk {
    let scratch: Scratch
    let server: Server
    let socket = "rolecall-screen-\(UUID().uuidString)"

    /// - Parameter state: the directory of saved logins; one of its own without it.
    init(_ server: Server, columns: Int = 80, rows: Int = 24, state: String? = nil) async throws {
        self.server = server
        scratch = try Scratch()
        let configuration = "set -g default-terminal tmux-256color\nset -g escape-time 0\nset -g status off\n"
        try configuration.write(toFile: scratch.path("tmux.conf"), atomically: true, encoding: .utf8)
        try await tmux("new-session", "-d", "-x", "\(columns)", "-y", "\(rows)", "bash --norc --noprofile -i")
        try await type(
            "PS1='$ '; export XDG_STATE_HOME='\(state ?? scratch.path("state"))' ROLECALL_SERVER=\(server.url); clear\n"
        )
    }

    deinit {
        let child = try? Child("tmux", ["-L", socket, "kill-server"], to: "/dev/null")
        while let child, child.status() == nil { usleep(1000) }
    }

    @discardableResult
    func tmux(_ arguments: String...) async throws -> String {
        try await runShell("tmux", ["-u", "-L", socket, "-f", scratch.path("tmux.conf")] + arguments)
    }

    /// Starts the program. Its exit code and the terminal's modes before and after it are left in files.
    func start(_ arguments: String = "", environment: String = "", expecting text: String) async throws {
        let (before, after, code) = (scratch.path("before"), scratch.path("after"), scratch.path("code"))
        try await type("stty -a > '\(before)'; \(environment) '\(Programs.client().path)' \(arguments); ")
        try await type("echo $? > '\(code)'; stty -a > '\(after)'\n")
        try await expect(text)
    }

    /// Starts it and logs in by its form.
    func startAs(_ email: String, _ password: String, _ arguments: String = "") async throws {
        try await start(arguments, expecting: "stay signed in")
        try await expect("online")
        try await type(email)
        try await press("Enter")
        try await type(password)
        try await press("Enter")
        try await expect("you are \(email)")
    }

    func type(_ text: String) async throws { try await tmux("send-keys", "-l", text) }

    /// Presses keys by tmux's names for them.
    func press(_ keys: String...) async throws {
        for key in keys { try await tmux("send-keys", key) }
    }

    /// Pastes as a terminal does for a program that asked to know of it.
    func paste(_ text: String) async throws {
        let file = scratch.path("paste")
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        try await tmux("load-buffer", file)
        try await tmux("paste-buffer", "-p")
    }

    func resize(_ columns: Int, _ rows: Int) async throws {
        try await tmux("resize-window", "-x", "\(columns)", "-y", "\(rows)")
    }

    func rows() async throws -> [String] {
        try await tmux("capture-pane", "-p").split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(
            String.init)
    }

    /// All rows but the first, where the clock goes on, once the screen is at rest: what is captured in the middle of a
    /// frame is none.
    func restingRows() async throws -> [String] {
        var (last, repeats): ([String], Int) = ([], 0)
        let isAtRest = try await holds {
            let shown = try await Array(rows().dropFirst())
            repeats = shown == last ? repeats + 1 : 0
            last = shown
            return repeats == 5
        }
        #expect(isAtRest, "\(last.joined(separator: "\n"))")
        return last
    }

    func row(_ text: String) async throws -> String { try await rows().first { $0.contains(text) } ?? "" }

    /// Waits until a text is on the screen.
    func expect(_ text: String, location: SourceLocation = #_sourceLocation) async throws {
        let isThere = try await holds { try await shows(text) }
        guard !isThere else { return }
        let screen = try await rows().joined(separator: "\n")
        Issue.record("\(text) is not on the screen:\n\(screen)", sourceLocation: location)
        throw Missing(text)
    }

    func shows(_ text: String) async throws -> Bool { try await rows().contains { $0.contains(text) } }

    /// The program's process.
    func client() async throws -> pid_t {
        let shell = try await tmux("display-message", "-p", "#{pane_pid}").trimmingCharacters(
            in: .whitespacesAndNewlines)
        let found = try await runShell("pgrep", ["-P", shell, "-x", "rolecall"])
        return try #require(pid_t(found.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    /// Leaves the program from its list, which has to end well and give the terminal back.
    func quit(location: SourceLocation = #_sourceLocation) async throws {
        // The shell's own idea of the window is compared with that from before.
        try await resize(120, 36)
        try await press("q")
        #expect(try await exitCode() == 0, sourceLocation: location)
        #expect(try await isRestored(), sourceLocation: location)
    }

    /// The exit code, as soon as the program has ended.
    func exitCode() async throws -> Int? {
        _ = try await holds { scratch.read("after")?.hasSuffix("\n") == true }
        return scratch.read("code").flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    /// Whether modes, alternate screen, cursor, mouse and keypad are as they were before the program.
    func isRestored() async throws -> Bool {
        guard scratch.read("before") == scratch.read("after"), scratch.read("after")?.contains("iexten") == true else {
            return false
        }
        return try await flags() == "0100"
    }

    /// Other screen, cursor shown, mouse, application keys.
    func flags() async throws -> String {
        try await tmux("display-message", "-p", "#{alternate_on}#{cursor_flag}#{mouse_any_flag}#{keypad_cursor_flag}")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
