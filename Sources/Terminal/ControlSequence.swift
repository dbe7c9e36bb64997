/// Sequences that begin with ESC [ (CSI).
enum ControlSequence {
    static func interpret(_ bytes: [UInt8]) -> EscapeSequences.Verdict {
        guard bytes.count > 2 else { return .incomplete }
        switch bytes[2] {
        case UInt8(ascii: "["): return interpretLinuxFunction(bytes)
        case UInt8(ascii: "M"): return interpretOldMouse(bytes)
        default: break
        }
        guard let end = bytes.dropFirst(2).firstIndex(where: { !(0x20..<0x40 ~= $0) || $0 == UInt8(ascii: "$") }) else {
            return bytes.count < EscapeSequences.longest ? .incomplete : .complete([], length: bytes.count)
        }
        // A control breaks the sequence off and counts for itself.
        guard 0x20..<0x7F ~= bytes[end] else { return .complete([], length: end) }
        let parameters = bytes[2..<end]
        if parameters.first == UInt8(ascii: "<") {
            return .complete(mouse(parameters.dropFirst(), final: bytes[end]), length: end + 1)
        }
        // rxvt ends Shift with a key in "$", which elsewhere comes before the end of a report (ESC [ ? 1 $ y).
        if bytes[end] == UInt8(ascii: "$"), !parameters.allSatisfy({ 0x30...0x39 ~= $0 }) || parameters.isEmpty {
            guard let last = bytes[end...].firstIndex(where: { 0x40..<0x7F ~= $0 }) else {
                return bytes.count < EscapeSequences.longest ? .incomplete : .complete([], length: bytes.count)
            }
            return .complete([], length: last + 1)
        }
        // A private marker or an intermediate byte is in a terminal's answers, never in a key.
        guard parameters.allSatisfy({ 0x30...0x3B ~= $0 }) else { return .complete([], length: end + 1) }
        let numbers = numbers(parameters)
        if bytes[end] == UInt8(ascii: "~"), numbers.first == 200 { return .pasteBegins }
        return .complete(key(numbers, final: bytes[end]).map { [.key($0)] } ?? [], length: end + 1)
    }

    /// The Linux console's F1–F5: ESC [ [ A–E.
    private static func interpretLinuxFunction(_ bytes: [UInt8]) -> EscapeSequences.Verdict {
        guard bytes.count > 3 else { return .incomplete }
        guard 0x20..<0x7F ~= bytes[3] else { return .complete([], length: 3) }
        guard UInt8(ascii: "A")...UInt8(ascii: "E") ~= bytes[3] else { return .complete([], length: 4) }
        return .complete([.key(.function(Int(bytes[3] - 0x40)))], length: 4)
    }

    /// Numbers between semicolons; a missing one is 0, one that is out of range is the highest, and of a number with
    /// sub-parameters (`1:2`) the first counts.
    private static func numbers(_ parameters: ArraySlice<UInt8>) -> [Int] {
        parameters.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map { parameter in
            parameter.prefix { 0x30...0x39 ~= $0 }.reduce(0) { min(0xFF_FFFF, $0 * 10 + Int($1 - 0x30)) }
        }
    }

    private static func key(_ numbers: [Int], final: UInt8) -> Key? {
        let first = numbers.first ?? 0
        let held = modifiers(numbers.count > 1 ? numbers[1] : 0)
        switch final {
        case UInt8(ascii: "~"):
            // xterm's modifyOtherKeys: ESC [ 27 ; modifiers ; code ~
            if first == 27, numbers.count > 2 { return coded(numbers[2], held) }
            return numberedKey(first)?.adding(held)
        case UInt8(ascii: "u"): return coded(first, held)
        case UInt8(ascii: "^"): return numberedKey(first)?.adding(.control)
        case UInt8(ascii: "$"): return numberedKey(first)?.adding(.shift)
        case UInt8(ascii: "@"): return numberedKey(first)?.adding([.control, .shift])
        case UInt8(ascii: "Z"): return .backTab.adding(held)
        case UInt8(ascii: "a")...UInt8(ascii: "d"): return letterKey(final - 0x20)?.adding(.shift)
        default: return letterKey(final)?.adding(held)
        }
    }

    /// Keys named by the last letter.
    static func letterKey(_ letter: UInt8) -> Key? {
        switch letter {
        case UInt8(ascii: "A"): .up
        case UInt8(ascii: "B"): .down
        case UInt8(ascii: "C"): .right
        case UInt8(ascii: "D"): .left
        case UInt8(ascii: "F"): .end
        case UInt8(ascii: "H"): .home
        case UInt8(ascii: "P"): .function(1)
        case UInt8(ascii: "Q"): .function(2)
        case UInt8(ascii: "R"): .function(3)
        case UInt8(ascii: "S"): .function(4)
        default: nil
        }
    }

    /// Keys named by a number.
    private static func numberedKey(_ number: Int) -> Key? {
        switch number {
        case 1, 7: .home
        case 2: .insert
        case 3: .delete
        case 4, 8: .end
        case 5: .pageUp
        case 6: .pageDown
        case 11...15: .function(number - 10)
        case 17...21: .function(number - 11)
        case 23...26: .function(number - 12)
        case 28, 29: .function(number - 13)
        case 31...34: .function(number - 14)
        default: nil
        }
    }

    /// A key named by its code point.
    private static func coded(_ code: Int, _ held: Key.Modifiers) -> Key? {
        switch code {
        case 9: return Key(.tab, held)
        case 13, 57414: return Key(.enter, held)
        case 27: return Key(.escape, held)
        case 8, 127: return Key(.backspace, held)
        case 0xE000...0xF8FF: return nil  // Keys that have no name here: Caps Lock, media keys …
        default: break
        }
        guard code >= 0x20, let value = UInt32(exactly: code), let scalar = Unicode.Scalar(value) else { return nil }
        let character = Character(scalar)
        guard held.contains(.control), let lower = character.lowercased().first else {
            return Key(.character(character), held.subtracting(.shift))
        }
        return Key(.character(lower), held.subtracting(.shift))
    }

    /// xterm's modifier parameter: one more than the sum of Shift 1, Alt 2, Control 4 and Meta 8.
    static func modifiers(_ parameter: Int) -> Key.Modifiers {
        guard parameter > 1 else { return [] }
        let bits = (parameter - 1) & 0xF
        let meta: Key.Modifiers = bits & 8 != 0 ? .alt : []
        return Key.Modifiers(rawValue: UInt8(bits & 7)).union(meta)
    }

    /// SGR mouse reports: ESC [ < button ; column ; row M, or m for a release.
    private static func mouse(_ parameters: ArraySlice<UInt8>, final: UInt8) -> [TerminalEvent] {
        let numbers = numbers(parameters)
        guard numbers.count == 3, final == UInt8(ascii: "M") || final == UInt8(ascii: "m") else { return [] }
        let released = final == UInt8(ascii: "m")
        return mouse(button: numbers[0], column: numbers[1], row: numbers[2], released: released)
    }

    /// Reports of terminals that do not know SGR's: ESC [ M and three bytes, each 32 more than it says.
    private static func interpretOldMouse(_ bytes: [UInt8]) -> EscapeSequences.Verdict {
        guard bytes.count >= 6 else { return .incomplete }
        let button = Int(bytes[3]) - 32
        let released = button & 0b1110_0011 == 3
        return .complete(
            mouse(button: button, column: Int(bytes[4]) - 32, row: Int(bytes[5]) - 32, released: released), length: 6)
    }

    private static func mouse(button: Int, column: Int, row: Int, released: Bool) -> [TerminalEvent] {
        guard button >= 0 else { return [] }
        let kind: Mouse.Kind
        let which: Mouse.Button
        switch button & 0b1100_0011 {
        case 0: which = .left
        case 1: which = .middle
        case 2: which = .right
        default: which = .other
        }
        switch button & 0b1110_0011 {
        case 64: kind = .scrollUp
        case 65: kind = .scrollDown
        case 66: kind = .scrollLeft
        case 67: kind = .scrollRight
        case 35: kind = .move
        case let code where code & 32 != 0: kind = .drag(which)
        default: kind = released ? .release(which) : .press(which)
        }
        // Bits 2, 3 and 4 are Shift, Meta and Control.
        var held: Key.Modifiers = []
        if button & 4 != 0 { held.insert(.shift) }
        if button & 8 != 0 { held.insert(.alt) }
        if button & 16 != 0 { held.insert(.control) }
        let position = Position(row: max(0, row - 1), column: max(0, column - 1))
        return [.mouse(Mouse(kind, at: position, held))]
    }
}
