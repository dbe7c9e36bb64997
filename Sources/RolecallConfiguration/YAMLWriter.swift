import ModelStore

/// Writes names so that they are read as the same names.
enum YAMLWriter {
    /// A text on one line: plain where that is safe, else in double quotes with escapes.
    static func text(_ text: String) -> String {
        isPlain(text) ? text : quoted(text)
    }

    /// What can stand behind a `#`.
    static func comment(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { isPrintable($0) ? $0 : "\u{FFFD}" }
        return String(String.UnicodeScalarView(scalars))
    }

    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, first.isASCII, first.properties.isAlphabetic || first == "_" else {
            return false
        }
        let isWord = text.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0)) || $0 == "_" || $0 == "-"
        }
        let scalar = YAMLScalar(text: text, isPlain: true, tag: nil)
        guard isWord, case .success(let value) = scalar.value(), case .text = value else { return false }
        return true
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\" + String(scalar)
            case _ where isPrintable(scalar): quoted.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16)
                let width = scalar.value > 0xFFFF ? 8 : 4
                quoted += (width == 8 ? "\\U" : "\\u") + String(repeating: "0", count: width - digits.count) + digits
            }
        }
        return quoted + "\""
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E, 0xA0...0x2027, 0x202F...0xD7FF, 0xF900...0xFDCF, 0xFDF0...0xFEFE, 0xFF00...0xFFEF,
            0x10000...0x1FFFF:
            true
        default: false
        }
    }
}

extension String {
    /// With a to z in place of A to Z; all else as it is.
    var asciiLowercased: String {
        String(decoding: utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}
