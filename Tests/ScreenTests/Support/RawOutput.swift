import Foundation
import Testing

/// What a program wrote to its terminal, byte for byte, taken apart.
struct RawOutput {
    /// What stands in it that this program has no reason to send.
    private(set) var faults: [String] = []
    /// All parameters of SGR, in order.
    private(set) var looks: [Int] = []
    /// Private modes that were set or reset.
    private(set) var modes: Set<String> = []
    /// The first parameters of OSC.
    private(set) var messages: [String] = []

    /// What ends the CSI sequences of cursor, erasing, inserting, scrolling, repetition, modes, looks and cursor style.
    private static let finals = Set("ABCDEFGHIJKLMPSTXZ@`abdefghlmrsu".utf8)
    /// Alternate screen, cursor keys, cursor, blinking, wrapping, mouse, paste.
    private static let known: Set<String> = [
        "1", "3", "4", "7", "12", "25", "45", "1000", "1002", "1003", "1006", "1034", "1049", "2004", "2026",
    ]

    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        while let byte = next() {
            switch byte {
            case 0x1B: escape()
            // Backspace, tab, line feed, carriage return; shifts of the character set.
            case 0x08, 0x09, 0x0A, 0x0D, 0x0E, 0x0F, 0x20..<0x7F: break
            case 0x80...: character(byte)
            default: fault("the control \(byte)")
            }
        }
    }

    private mutating func next() -> UInt8? {
        guard place < bytes.count else { return nil }
        place += 1
        return bytes[place - 1]
    }

    private mutating func fault(_ what: String) {
        let around = bytes[max(0, place - 12)..<min(bytes.count, place + 12)]
        faults.append("\(what) in \(String(decoding: around, as: UTF8.self).debugDescription)")
    }

    /// UTF-8; C1 and what turns text around have no business here, nor has a byte that is none.
    private mutating func character(_ first: UInt8) {
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard first >= 0xC2, place - 1 + length <= bytes.count else { return fault("the byte \(first)") }
        let text = String(decoding: bytes[(place - 1)..<(place - 1 + length)], as: UTF8.self)
        place += length - 1
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x80..<0xA0, 0x61C, 0x200B...0x200C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF:
                fault("U+\(String(scalar.value, radix: 16))")
            default: break
            }
        }
    }

    private mutating func escape() {
        switch next() {
        case UInt8(ascii: "["): control()
        case UInt8(ascii: "]"): message()
        // Character sets.
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: "+"):
            if let set = next(), ![UInt8(ascii: "B"), UInt8(ascii: "0")].contains(set) { fault("a character set") }
        // Keypad, saved cursor, reverse index, tab stops.
        case UInt8(ascii: "="), UInt8(ascii: ">"), UInt8(ascii: "7"), UInt8(ascii: "8"), UInt8(ascii: "M"),
            UInt8(ascii: "H"):
            break
        case let other: fault("ESC and \(other.map { "\($0)" } ?? "the end")")
        }
    }

    private mutating func control() {
        var parameters: [UInt8] = []
        while let byte = next() {
            if (0x20..<0x40).contains(byte) {
                parameters.append(byte)
                continue
            }
            let text = String(decoding: parameters, as: UTF8.self)
            // xterm's way to keep the title of the window, and to bring it back.
            let isTitle = byte == UInt8(ascii: "t") && ["22;0;0", "23;0;0"].contains(text)
            guard isTitle || Self.finals.contains(byte) else { return fault("CSI \(text) \(byte)") }
            if byte == UInt8(ascii: "m") {
                looks += text.split(separator: ";", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
            }
            if text.hasPrefix("?") {
                let numbers = text.dropFirst().split(separator: ";").map(String.init)
                modes.formUnion(numbers)
                if !numbers.allSatisfy(Self.known.contains) { fault("the mode \(text)") }
            }
            return
        }
    }

    private mutating func message() {
        var text: [UInt8] = []
        while let byte = next() {
            if byte == 0x07 || byte == 0x1B {
                if byte == 0x1B { _ = next() }
                let kind = String(decoding: text.prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self)
                messages.append(kind)
                if !["52", "9", "777"].contains(kind) { fault("OSC \(kind)") }
                return
            }
            guard byte >= 0x20 else { return fault("the control \(byte) in OSC") }
            text.append(byte)
        }
        fault("OSC without an end")
    }

    /// Whether a colour was asked for.
    var hasColours: Bool {
        looks.contains { (30...38).contains($0) || (40...48).contains($0) || (90...107).contains($0) }
    }
}

extension Desk {
    /// Keeps from now on what programs write to this terminal.
    func keepOutput() async throws {
        // The shell is to ask for nothing itself.
        try await type("bind 'set enable-bracketed-paste off'; echo quiet now\n")
        try await expect("quiet now")
        try await type("clear\n")
        try await tmux("pipe-pane", "cat > '\(scratch.path("raw"))'")
    }

    /// What they wrote, up to the last full stop of tmux's.
    func output() throws -> [UInt8] {
        Array(try Data(contentsOf: scratch.url.appendingPathComponent("raw")))
    }
}
