import Yams

/// Reads a YAML text into nodes that know where they stand.
///
/// The text may be anything: what is no YAML, or more of it than a configuration can be, is a mistake and nothing
/// worse. The parser underneath resolves aliases into the trees that they name, and compares keys by all that stands in
/// them; a few lines of aliases can so stand for more than any memory holds. Therefore it is never shown an alias: the
/// star of each is replaced by a character with which a plain text begins, and named trees are put in its place here,
/// where their size is counted. Which stars begin an alias the parser itself tells, by a first reading in which every
/// star is replaced: it is those that begin a node.
struct YAMLReader {
    /// Bytes of UTF-8.
    static let maximumLength = 1_000_000
    /// Nodes, those behind aliases counted as often as they are reached.
    static let maximumSize = 200_000
    static let maximumDepth = 32
    /// Keys that stand twice, of all mappings; past these, nothing more is looked at.
    static let maximumDuplicates = 20
    /// Characters of a text in which several keys that stand twice are looked for: each takes a reading of its own.
    static let maximumLengthForDuplicates = 100_000

    private var mistakes: Mistakes

    /// - Returns: nil, with a mistake, for what can't be read; a node that is nothing for an empty text.
    static func read(_ text: String, into mistakes: inout Mistakes) -> YAMLNode? {
        var reader = YAMLReader(mistakes: mistakes)
        defer { mistakes = reader.mistakes }
        guard let characters = reader.characters(of: text) else { return nil }
        return reader.read(YAMLText(characters))
    }

    private mutating func characters(of text: String) -> [Unicode.Scalar]? {
        guard text.utf8.count <= Self.maximumLength else {
            mistakes.report(
                .start,
                "the file has \(text.utf8.count) bytes; a configuration has at most \(Self.maximumLength)")
            return nil
        }
        var characters = Array(text.unicodeScalars)
        // A byte order mark says that the file is UTF-8, and nothing else.
        if characters.first == "\u{FEFF}" { characters.removeFirst() }
        return characters
    }

    private mutating func read(_ text: YAMLText) -> YAMLNode? {
        if let (offset, character) = text.firstForbidden {
            let code = "U+" + String(character.value, radix: 16, uppercase: true).leftPadded(to: 4)
            mistakes.report(
                text.location(of: offset),
                "an invisible character (\(code)) stands here; take it out, or write it as an escape in double quotes")
            return nil
        }
        guard let aliases = aliases(in: text) else { return nil }
        guard let document = parse(text.replacing(aliases, with: YAMLText.star)) else {
            return nil
        }
        // Anchors live as long as the parser.
        return withExtendedLifetime(document.parser) {
            guard let root = document.root else {
                return YAMLNode(
                    content: .scalar(YAMLScalar(text: "", isPlain: true, tag: nil)), location: .start)
            }
            var builder = YAMLTreeBuilder(
                text: text, aliases: Set(aliases), renamed: document.renamed, mistakes: mistakes)
            defer { mistakes = builder.mistakes }
            let tree = builder.tree(of: root)
            // What an alias of nothing was meant to be would only be guessed wrong.
            return builder.isWhole ? tree : nil
        }
    }

    /// The offsets of the stars that begin an alias; nil where one stands where it can't be replaced.
    private mutating func aliases(in text: YAMLText) -> [Int]? {
        let stars = text.characters.indices.filter { text.characters[$0] == "*" }
        guard !stars.isEmpty else { return [] }
        guard let document = parse(text.replacing(stars, with: YAMLText.star)) else {
            return nil
        }
        var aliases: [Int] = []
        var waiting = document.root.map { [$0] } ?? []
        while let node = waiting.popLast() {
            if let offset = node.mark.flatMap(text.offset), text.characters[offset] == "*" {
                guard case .scalar(let scalar) = node, let name = text.aliasName(at: offset),
                    scalar.string.unicodeScalars.elementsEqual([YAMLText.star] + name.unicodeScalars)
                else {
                    return refuse("an alias is * with a name and nothing behind it: *name", at: offset, of: text)
                }
                aliases.append(offset)
            }
            switch node {
            case .mapping(let mapping):
                for (key, value) in mapping {
                    let offset = key.mark.flatMap(text.offset)
                    guard case .scalar = key, offset.map({ text.characters[$0] != "*" }) ?? true else {
                        return refuse(
                            "a name is a text here, neither a list, a mapping nor an alias", at: offset, of: text)
                    }
                    waiting.append(value)
                }
            case .sequence(let sequence): waiting.append(contentsOf: sequence)
            case .scalar, .alias: break
            }
        }
        return aliases
    }

    private mutating func refuse(_ sentence: String, at offset: Int?, of text: YAMLText) -> [Int]? {
        mistakes.report(offset.map(text.location) ?? .start, sentence)
        return nil
    }

    private struct Document {
        /// Nil for an empty file.
        var root: Node?
        var parser: Parser
        /// Keys that stand a second time further down, by their offsets; see ``parse(_:)``.
        var renamed: [Int: RenamedKey]
    }

    /// The parser stops at a key that stands twice. Then the first of the two gets another name, so that everything
    /// else can be read, too.
    private mutating func parse(_ text: YAMLText) -> Document? {
        var text = text
        var renamed: [Int: RenamedKey] = [:]
        let limit = text.characters.count > Self.maximumLengthForDuplicates ? 0 : Self.maximumDuplicates
        while true {
            do {
                // Without rules of its own it takes no time to find out what a scalar looks like.
                let parser = try Parser(
                    yaml: text.string, resolver: .basic, constructor: Constructor([:], [:], [:]), encoding: .utf8)
                return Document(root: try parser.singleRoot(), parser: parser, renamed: renamed)
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                let offset = text.offset(of: context.mark)
                if renamed.count < limit, let offset,
                    let key = text.rename(at: offset, number: renamed.count)
                {
                    renamed[offset] = key
                } else {
                    let name = names.first.map(Words.quoted) ?? "a name"
                    mistakes.report(
                        text.location(of: context.mark), "\(name) stands more than once here; keep one of them")
                    return nil
                }
            } catch {
                let problem = YAMLProblem(error, in: text)
                mistakes.report(problem.location, problem.sentence)
                return nil
            }
        }
    }
}

extension String {
    fileprivate func leftPadded(to count: Int) -> String {
        String(repeating: "0", count: max(0, count - self.count)) + self
    }
}
