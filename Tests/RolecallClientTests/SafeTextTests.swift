import TestSupport
import Testing

@testable import RolecallClient

@Suite("SafeText")
struct SafeTextTests {
    @Test(
        "what acts on a terminal becomes a visible mark",
        arguments: [
            ("\u{1b}[2Jname", "⟨1b⟩[2Jname", 1),
            ("a\nb\r\n", "a⟨0a⟩b⟨0d⟩⟨0a⟩", 3),
            ("\u{0}\u{7}\t", "⟨00⟩⟨07⟩⟨09⟩", 3),
            ("\u{7f}", "⟨7f⟩", 1),
            ("\u{9b}31m", "⟨9b⟩31m", 1),
            ("\u{80}\u{9f}\u{a0}", "⟨80⟩⟨9f⟩\u{a0}", 2),
            ("user\u{202e}txt.exe", "user⟨202e⟩txt.exe", 1),
            ("\u{2066}a\u{2069}\u{200e}\u{200f}\u{61c}", "⟨2066⟩a⟨2069⟩⟨200e⟩⟨200f⟩⟨61c⟩", 5),
            ("a\u{2028}b\u{2029}", "a⟨2028⟩b⟨2029⟩", 2),
            ("ad\u{200b}min\u{feff}", "ad⟨200b⟩min⟨feff⟩", 2),
            ("a\u{200d}b", "a⟨200d⟩b", 1),
            ("a\u{ad}\u{34f}\u{2060}\u{3164}", "a⟨ad⟩⟨34f⟩⟨2060⟩⟨3164⟩", 4),
            ("\u{fff9}\u{fffe}", "⟨fff9⟩⟨fffe⟩", 2),
            ("a\u{e0041}\u{e0042}", "a⟨e0041⟩⟨e0042⟩", 2),
            ("x\u{fe0f}", "x⟨fe0f⟩", 1),
            ("❤\u{fe0f}\u{fe0f}", "❤\u{fe0f}⟨fe0f⟩", 1),
        ])
    func marks(foreign: String, expected: String, marks: Int) {
        let safe = SafeText(foreign)
        #expect(safe.text.unicodeScalars.elementsEqual(expected.unicodeScalars), "\(safe.text.debugDescription)")
        #expect(safe.marks == marks)
    }

    @Test(
        "what only draws stays as it is",
        arguments: [
            "", "plain", "了解です 👍", "e\u{301}", "👩\u{200d}🚒", "👨\u{200d}👩\u{200d}👧", "❤\u{fe0f}\u{200d}🔥",
            "1\u{fe0f}\u{20e3}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}", "👍🏽", "🇩🇪", "葛\u{e0100}", "\u{fffd}", "ك", "עברית",
        ])
    func untouched(text: String) {
        let safe = SafeText(text)
        #expect(safe.text.unicodeScalars.elementsEqual(text.unicodeScalars), "\(safe.text.debugDescription)")
        #expect(safe.marks == 0)
    }

    @Test("a flag's tags without a flag's end are marked")
    func brokenFlag() {
        #expect(SafeText("🏴\u{e0067}\u{e0062}").marks == 2)
        #expect(SafeText("🏴\u{e007f}").marks == 1)
        #expect(SafeText("🏴" + String(repeating: "\u{e0061}", count: 20) + "\u{e007f}").marks == 21)
    }

    @Test("of every code point there is, what draws nothing or acts on a terminal is marked, by Unicode's own tables")
    func everyCodePoint() {
        var wrong: [String] = []
        for value in UInt32(0x80)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let properties = scalar.properties
            let isHidden = properties.isDefaultIgnorableCodePoint || properties.isNoncharacterCodePoint
            let isLine =
                properties.generalCategory == .lineSeparator
                || properties.generalCategory == .paragraphSeparator || properties.generalCategory == .control
            guard isHidden || isLine || properties.isBidiControl else { continue }
            if SafeText("\(scalar)").marks != 1 { wrong.append(String(value, radix: 16)) }
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(20))")
    }

    @Test("no scalar of any text comes through that a terminal may obey")
    func everyScalar() {
        var generator = Seeded(7)
        let troublesome: [Unicode.Scalar] = [
            "\u{1b}", "\u{9b}", "\u{200d}", "\u{fe0f}", "\u{202e}", "👩", "🏴", "\u{e0067}", "a",
        ]
        for _ in 0..<5_000 {
            var text = ""
            for _ in 0..<Int.random(in: 0...12, using: &generator) {
                let any = Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &generator))
                let picked = troublesome[Int.random(in: 0..<troublesome.count, using: &generator)]
                text.unicodeScalars.append(Bool.random(using: &generator) ? picked : any ?? picked)
            }
            let safe = SafeText(text)
            #expect(!safe.text.unicodeScalars.contains { $0.isTerminalHazard }, "\(text.debugDescription)")
            #expect(SafeText(safe.text).text == safe.text, "\(text.debugDescription)")
        }
    }
}
