import CNcurses
import Glibc

/// What terminfo says of the terminal, and what follows for taking it and leaving it. Made before anything is sent.
struct TerminalDescription {
    /// Switches that curses does not know: on.
    let entering: [UInt8]
    /// The same switches: off.
    let leaving: [UInt8]
    /// All that turns the terminal back, for when curses can't.
    let restoring: [UInt8]
    /// What the keys send, as far as it begins with ESC.
    let keys: [[UInt8]: Key]
    let hasMouse: Bool
    /// Writing the last cell of the last row would scroll the screen.
    let wrapsAtOnce: Bool

    /// - Throws: ``ScreenError/unknownTerminal(name:)`` or ``ScreenError/cannotMoveCursor(name:)``.
    @MainActor
    init(terminal: String, wantsMouse: Bool) throws(ScreenError) {
        var reason: CInt = 0
        // With a place for the reason, it never ends the process.
        let found = setupterm(terminal, STDOUT_FILENO, &reason) == OK
        guard found || reason == 1 else { throw .unknownTerminal(name: terminal) }
        defer { cn_forget_terminal() }
        guard found, Self.bytes("cup") != nil else { throw .cannotMoveCursor(name: terminal) }
        // A mouse is what tells xterm's kin from a VT100, which would show the switches as text.
        let isModern = Self.bytes("kmous") != nil
        hasMouse = isModern && wantsMouse
        wrapsAtOnce = cn_wraps_at_once()
        var on = ""
        var off = ""
        if isModern {
            on += "\u{1B}[?2004h"
            off += "\u{1B}[?2004l"
        }
        if hasMouse {
            // Buttons and the wheel, reported in decimal.
            on += "\u{1B}[?1000h\u{1B}[?1006h"
            off += "\u{1B}[?1006l\u{1B}[?1000l"
        }
        entering = Array(on.utf8)
        leaving = Array(off.utf8)
        var restoring = leaving
        for name in ["rmkx", "sgr0", "op", "cnorm"] { restoring += Self.bytes(name) ?? [] }
        if let leave = Self.bytes("rmcup") {
            restoring += leave
        } else {
            // Nothing to go back to: the prompt goes under what is on the screen.
            restoring += Self.bytes("cup", 998, 0) ?? []
            restoring += Array("\r\n".utf8)
        }
        self.restoring = restoring
        var keys: [[UInt8]: Key] = [:]
        for (name, key) in Self.keyNames {
            if let bytes = Self.bytes(name), bytes.first == 0x1B, bytes.count > 1 { keys[bytes] = key }
        }
        self.keys = keys
    }

    /// A capability without its padding (`$<5>`), for which no terminal in use waits.
    @MainActor
    private static func bytes(_ name: String) -> [UInt8]? {
        cn_capability(name).map { withoutPadding(String(cString: $0)) }
    }

    @MainActor
    private static func bytes(_ name: String, _ first: CInt, _ second: CInt) -> [UInt8]? {
        guard let capability = cn_capability(name), let expanded = cn_expand(capability, first, second) else {
            return nil
        }
        return withoutPadding(String(cString: expanded))
    }

    static func withoutPadding(_ capability: String) -> [UInt8] {
        var result: [UInt8] = []
        var rest = Array(capability.utf8)[...]
        while let byte = rest.first {
            if byte == UInt8(ascii: "$"), rest.dropFirst().first == UInt8(ascii: "<"),
                let end = rest.firstIndex(of: UInt8(ascii: ">"))
            {
                rest = rest[(end + 1)...]
            } else {
                result.append(byte)
                rest = rest.dropFirst()
            }
        }
        return result
    }

    private static let keyNames: [(String, Key)] =
        [
            ("kcuu1", .up), ("kcud1", .down), ("kcub1", .left), ("kcuf1", .right), ("khome", .home), ("kend", .end),
            ("kpp", .pageUp), ("knp", .pageDown), ("kich1", .insert), ("kdch1", .delete), ("kcbt", .backTab),
            ("kent", .enter), ("kbs", .backspace),
        ] + (1...12).map { ("kf\($0)", .function($0)) }
}
