import Foundation
import Terminal
import Testing

/// A shell with job control in a tmux of its own, in a window of a given size.
final class Tmux {
    let directory: ScratchDirectory
    private let server = "terminal-tests-\(UUID().uuidString)"

    init(columns: Int, rows: Int) throws {
        directory = try ScratchDirectory()
        let configuration = """
            set -g default-terminal tmux-256color
            set -g escape-time 0
            set -g status off

            """
        try configuration.write(toFile: directory.file("tmux.conf"), atomically: true, encoding: .utf8)
        try run("new-session", "-d", "-x", "\(columns)", "-y", "\(rows)", "bash --norc --noprofile -i")
        try type("PS1='$ '; cd '\(directory.path)'; export PROBE_PID_FILE=pid; clear\n")
    }

    deinit {
        _ = try? run("kill-server")
    }

    /// Runs a tmux command and returns what it printed.
    @discardableResult
    func run(_ arguments: String...) throws -> String {
        let (status, output) = runCommand(
            ["tmux", "-u", "-L", server, "-f", directory.file("tmux.conf")] + arguments, in: directory)
        try #require(status == 0, "tmux has to be installed, and to do \(arguments): \(output)")
        return output
    }

    func type(_ text: String) throws {
        try run("send-keys", "-l", text)
    }

    /// Presses keys by tmux's names for them.
    func press(_ key: String) throws {
        try run("send-keys", key)
    }

    func resize(columns: Int, rows: Int) throws {
        try run("resize-window", "-x", "\(columns)", "-y", "\(rows)")
    }

    /// What is on the screen, row by row.
    func rows() throws -> [String] {
        try run("capture-pane", "-p").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    func shows(_ text: String) throws -> Bool {
        try holds { try rows().contains { $0.contains(text) } }
    }

    /// What tmux knows of the terminal's modes: other screen, cursor shown, mouse, application keys.
    func flags() throws -> String {
        try run("display-message", "-p", "#{alternate_on}#{cursor_flag}#{mouse_any_flag}#{keypad_cursor_flag}")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    static let restoredFlags = "0100"

    /// Waits until the probe has given the terminal back.
    func isHandedBack() throws -> Bool {
        try holds { try flags() == Self.restoredFlags }
    }

    /// Starts the probe and waits for its first frame.
    func startProbe() throws {
        try type("stty -a > before; '\(Probe.path)'; echo \"ended $?\"; stty -a > after\n")
        let isStarted = try shows("event none")
        try #require(isStarted, "\((try? rows()) ?? [])")
    }

    func probe() throws -> pid_t {
        try #require(directory.read("pid").flatMap { pid_t($0.trimmingCharacters(in: .whitespacesAndNewlines)) })
    }

    /// Whether the terminal's modes are those from before the probe, as soon as the shell has told them in `file`.
    func isRestored(_ file: String = "after") throws -> Bool {
        let isTold = holds { settings(file)?.contains("iexten") == true && settings(file)?.last == "\n" }
        let flags = try flags()
        return isTold && settings(file) == settings("before") && flags == Self.restoredFlags
    }

    /// What `stty -a` said, but for the window's size in its first line.
    private func settings(_ file: String) -> Substring? {
        directory.read(file).flatMap { text in text.firstRange(of: "line =").map { text[$0.lowerBound...] } }
    }

    /// The columns that tmux takes for a row: code point by code point, but for what a joiner joins.
    static func width(of row: String) -> Int {
        var afterJoiner = false
        return row.unicodeScalars.reduce(0) { sum, scalar in
            defer { afterJoiner = scalar == "\u{200D}" }
            let isIndicator = 0x1F1E6...0x1F1FF ~= scalar.value
            return afterJoiner ? sum : sum + (isIndicator ? 1 : DisplayWidth.of(scalar))
        }
    }
}
