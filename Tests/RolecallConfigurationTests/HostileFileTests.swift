import ModelStore
import RolecallConfiguration
import TestSupport
import Testing

/// Files that nobody would write, and that still are read to an end.
@Suite(.computes) struct HostileFileTests {
    @Test("whatever becomes of a good file, it has a meaning or mistakes that stand within it")
    func mutations() {
        var random = Seeded(11)
        let sample = Array((Shop.text + Self.more).utf8)
        let alphabet = Array("aeo01 \n\n  \t:,-[]{}\"'#&*!|>?%@~<".utf8)
        for _ in 0..<10_000 {
            let text = String(
                decoding: random.hostileBytes(like: [sample], alphabet: alphabet), as: UTF8.self)
            check(text)
        }
    }

    @Test("whatever becomes of a part of a file, it has a meaning or mistakes that stand within it")
    func mutatedParts() {
        var random = Seeded(12)
        let samples = [
            "models: {a: &a {table: orders, read: [*a, *b]}, b: *a}", "? a\n: *b\n", "<<: *a", "[*a, *b]: *c",
            "a: !!str *b",
            "a: &a\n  b: *a\n", "\"a\\u0041\": 'b''c'\n", "a: |\n  *b\n  c\n", "roles: [a, b]\nroles: [a, b]\n",
            "- *a\n- &a b\n",
            "%YAML 1.1\n---\na: 1\n...\n", "a: {b: {c: [d, {e: f}]}}", "port: 1\nport: 2\nport: 3\n",
        ].map { Array($0.utf8) }
        let alphabet = Array("ab *&!{}[],:?-\n\"'|>#%<".utf8)
        for _ in 0..<10_000 {
            check(String(decoding: random.hostileBytes(like: samples, alphabet: alphabet), as: UTF8.self))
        }
    }

    private func check(_ text: String) {
        let (file, mistakes) = ConfigurationFile.read(text, name: "c.yml", settings: Shop.settings)
        let (resolved, others) = file.resolve(against: Shop.schema)
        let lines = text.replacing("\r\n", with: "\n").split(omittingEmptySubsequences: false) {
            $0 == "\n" || $0 == "\r"
        }
        for mistake in mistakes + others {
            let isWithin =
                (1...lines.count).contains(mistake.line)
                && (1...lines[mistake.line - 1].unicodeScalars.count + 1).contains(mistake.column)
            #expect(isWithin, "\(mistake) in \(text.debugDescription)")
            #expect(!mistake.sentence.isEmpty && !mistake.sentence.contains("\n"))
        }
        #expect(resolved.policy.roles.count >= 2 || !mistakes.isEmpty)
        #expect(mistakes == mistakes.sorted { $0.location < $1.location })
    }

    private static let more = """
        \n  extra: &extra
            table: orders
            read:
              - {role: staff, when: {is_gift: true, taken_by: [~, 3]}}
          other: {<<: *extra, path: others, write: []}
        """

    @Test("aliases that multiply are refused as soon as they are too many")
    func bomb() {
        var text = "port: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...30 {
            let alias = "*a\(level - 1)"
            text += "host\(level): &a\(level) [\(Array(repeating: alias, count: 9).joined(separator: ", "))]\n"
        }
        #expect(
            mistakes(in: text).map(\.description)
                == ["c.yml:6:18: with its aliases the file has more than 200000 values; write fewer"])
    }

    @Test("aliases that multiply within a name are refused, too")
    func bombInKey() {
        var text = "port: &a0 [x, x]\n"
        for level in 1...60 { text += "h\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        for name in ["*a60 : 1\n", "? *a60\n: 1\n", "? [*a60]\n: 1\n", "{*a60: 1}: 1\n", "? {a: *a60}\n: 1\n"] {
            let line = mistakes(in: text + name).first?.line
            #expect(line == 62, "\(name)")
        }
    }

    @Test("mappings that take over large ones again and again are refused")
    func mergeBomb() {
        var text = "port: &a\n"
        for number in 0..<2000 { text += "  k\(number): 1\n" }
        text += "host:\n"
        for number in 0..<20_000 { text += "  - {<<: *a, x\(number): 1}\n" }
        #expect(mistakes(in: text).count == 1)
        #expect(
            mistakes(in: text).first?.sentence == "with its aliases the file has more than 200000 values; write fewer")
    }

    @Test("an alias within what it names is an alias of nothing")
    func cycle() {
        expectMistakes(
            in: "models: &a {order: &b [*b]}", ["1:24: nothing above is called b; name a value with &b before *b"])
    }

    @Test("what stands too deep is refused, however deep that is", arguments: [33, 900, 1100, 100_000])
    func depth(levels: Int) {
        for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")] {
            let text = String(repeating: open, count: levels) + "x" + String(repeating: close, count: levels)
            let mistakes = mistakes(in: text)
            #expect(mistakes.count == 1)
            #expect(mistakes.first?.line == 1)
        }
        expectMistakes(
            in: "port: " + String(repeating: "[", count: 40) + String(repeating: "]", count: 40),
            ["1:38: this stands more than 32 levels deep, where nothing is configured"])
    }

    @Test("a file may have a million bytes, and no more")
    func size() {
        let line = "# " + String(repeating: "x", count: 97) + "\n"
        let text = String(repeating: line, count: 10_000)
        #expect(mistakes(in: text).isEmpty)
        expectMistakes(
            in: text + "#", ["1:1: the file has 1000001 bytes; a configuration has at most 1000000"])
    }

    @Test("a million bytes of anything are read in seconds")
    func patience() {
        let clock = ContinuousClock()
        for unit in ["*a ", "a: 1\n", "- *a\n", "[", "? a\n"] {
            let text = String(repeating: unit, count: 999_000 / unit.utf8.count)
            let time = clock.measure { #expect(!mistakes(in: text).isEmpty) }
            #expect(time < .seconds(30), "\(unit.debugDescription)")
        }
    }

    @Test("a byte order mark and line ends of any system are no mistakes and move no place")
    func lineEnds() {
        for end in ["\n", "\r\n", "\r"] {
            let text = "\u{FEFF}port: 1\nhots: 2\n".replacing("\n", with: end)
            #expect(
                mistakes(in: text).map(\.description) == [
                    "c.yml:2:1: a configuration has no \"hots\"; is \"host\" meant?"
                ])
        }
    }

    @Test("more names that stand twice than can be told end the reading")
    func manyDuplicates() {
        let text = String(repeating: "port: 1\n", count: 500)
        let told = mistakes(in: text)
        #expect(told.map(\.sentence) == ["\"port\" stands more than once here; keep one of them"])
    }

    @Test(
        "a text without anything in it is a configuration without anything in it",
        arguments: ["", "\n", "---\n", "# nothing\n", "~", "{}"])
    func nothing(text: String) {
        let (file, mistakes) = ConfigurationFile.read(text, name: "c.yml", settings: [])
        #expect(mistakes.isEmpty)
        #expect(file.roles == BuiltInModels.roles)
        #expect(file.settings.isEmpty && file.rooms == nil && file.retention == nil)
    }
}
