import ModelStore

extension YAMLScalar {
    /// Why a scalar is no value, as a sentence.
    struct Doubt: Error {
        var sentence: String
    }

    /// What it means: by its tag, by quotes, else by its looks. What YAML 1.1 and YAML 1.2 read differently (`yes`,
    /// `010`, `1_000`, `12:30`) is refused instead of guessed: a rule would be wrong in silence.
    func value() -> Result<Value, Doubt> {
        switch tag {
        case nil: isPlain ? plainValue() : .success(.text(text))
        case "null": .success(.null)
        case "bool": tagged(plainValue(), as: "truth value") { if case .boolean = $0 { true } else { false } }
        case "int": tagged(plainValue(), as: "whole number") { if case .integer = $0 { true } else { false } }
        case "float":
            tagged(
                plainValue().map { if case .integer(let integer) = $0 { .real(Double(integer)) } else { $0 } },
                as: "number"
            ) { if case .real = $0 { true } else { false } }
        default: .success(.text(text))
        }
    }

    private func tagged(
        _ value: Result<Value, Doubt>, as noun: String, _ isRight: (Value) -> Bool
    ) -> Result<Value, Doubt> {
        if case .success(let value) = value, isRight(value) { return .success(value) }
        return .failure(Doubt(sentence: "\(Words.quoted(text)) is no \(noun), as its tag says; leave the tag out"))
    }

    private func plainValue() -> Result<Value, Doubt> {
        switch text {
        case _ where YAMLScalar.nulls.contains(text): return .success(.null)
        case "true", "True", "TRUE": return .success(.boolean(true))
        case "false", "False", "FALSE": return .success(.boolean(false))
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .success(.real(.infinity))
        case "-.inf", "-.Inf", "-.INF": return .success(.real(-.infinity))
        case ".nan", ".NaN", ".NAN": return .success(.real(.nan))
        case "yes", "Yes", "YES", "on", "On", "ON", "y", "Y": return .failure(ambiguous("a truth value", "true"))
        case "no", "No", "NO", "off", "Off", "OFF", "n", "N": return .failure(ambiguous("a truth value", "false"))
        default: return numberOrText()
        }
    }

    private func ambiguous(_ reading: String, _ plain: String, otherwise: String = "a text") -> Doubt {
        Doubt(
            sentence: """
                \(Words.quoted(text)) is \(reading) to some readers of YAML and \(otherwise) to others; \
                write \(plain), or \(Words.quoted(text)) in quotes
                """)
    }

    private func numberOrText() -> Result<Value, Doubt> {
        let bytes = Array(text.utf8)
        let unsigned = bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+") ? bytes[1...] : bytes[...]
        guard let first = unsigned.first, first.isDigit || first == UInt8(ascii: ".") else {
            return .success(.text(text))
        }
        if unsigned.allSatisfy(\.isDigit) {
            if unsigned.count > 1, first == UInt8(ascii: "0") {
                let digits = String(decoding: unsigned.drop { $0 == UInt8(ascii: "0") }, as: UTF8.self)
                return .failure(ambiguous("an octal number", digits.isEmpty ? "0" : digits, otherwise: "a plain one"))
            }
            guard let integer = Int64(text) else {
                return .failure(
                    Doubt(
                        sentence: """
                            \(text.utf8.count > 40 ? "this number" : text) is past what a database's integers hold \
                            (\(Int64.max)); in quotes it is a text
                            """))
            }
            return .success(.integer(integer))
        }
        if isReal(unsigned), let real = Double(text) {
            guard real.isFinite else {
                return .failure(Doubt(sentence: "\(Words.quoted(text)) is past what a real number holds; write .inf"))
            }
            return .success(.real(real))
        }
        if first.isDigit, looksLikeAnotherNumber(unsigned) {
            return .failure(ambiguous("a number", "the number in plain digits"))
        }
        return .success(.text(text))
    }

    /// Digits with a point or an exponent, or both.
    private func isReal(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        let whole = rest.prefix(while: \.isDigit).count
        rest = rest.dropFirst(whole)
        var fraction = 0
        if rest.first == UInt8(ascii: ".") {
            fraction = rest.dropFirst().prefix(while: \.isDigit).count
            rest = rest.dropFirst(1 + fraction)
        }
        guard whole + fraction > 0 else { return false }
        guard let exponent = rest.first else { return true }
        guard exponent | 0x20 == UInt8(ascii: "e") else { return false }
        rest = rest.dropFirst()
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        return !rest.isEmpty && rest.allSatisfy(\.isDigit)
    }

    /// What YAML 1.1 takes for a number beyond the plain ones: `0x1F`, `0b11`, `0o17`, `1_000`, `12:30`.
    private func looksLikeAnotherNumber(_ bytes: ArraySlice<UInt8>) -> Bool {
        if bytes.count > 2, bytes.first == UInt8(ascii: "0") {
            let rest = bytes.dropFirst(2)
            switch bytes[bytes.startIndex + 1] {
            case UInt8(ascii: "x"): return rest.allSatisfy(\.isHexadecimalDigit)
            case UInt8(ascii: "b"), UInt8(ascii: "o"): return rest.allSatisfy(\.isDigit)
            default: break
            }
        }
        if bytes.contains(UInt8(ascii: "_")) {
            return bytes.allSatisfy { $0.isDigit || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") }
        }
        let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        return parts.count > 1 && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isDigit) }
            && parts.dropFirst().allSatisfy { $0.count < 3 && (Int(String(decoding: $0, as: UTF8.self)) ?? 60) < 60 }
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    fileprivate var isHexadecimalDigit: Bool {
        isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self | 0x20)
    }
}
