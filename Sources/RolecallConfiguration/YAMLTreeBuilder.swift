import Yams

/// Makes nodes of what the parser found: resolves aliases and merges, and finds what has no meaning in a
/// configuration.
struct YAMLTreeBuilder {
    let text: YAMLText
    /// Offsets of the stars that stand for an alias; the parser found plain texts there.
    let aliases: Set<Int>
    /// Keys that stand twice; the parser found other names there.
    let renamed: [Int: RenamedKey]
    var mistakes: Mistakes
    /// Whether every alias names something.
    private(set) var isWhole = true
    private var anchors: [String: YAMLNode] = [:]
    /// How many nodes there are so far, those behind aliases counted with each of them.
    private var total = 0

    init(text: YAMLText, aliases: Set<Int>, renamed: [Int: RenamedKey], mistakes: Mistakes) {
        self.text = text
        self.aliases = aliases
        self.renamed = renamed
        self.mistakes = mistakes
    }

    /// - Returns: nil, with a mistake, where there is more than a configuration can be.
    mutating func tree(of root: Node) -> YAMLNode? {
        do {
            return try node(root, depth: 0)
        } catch {
            mistakes.report(error.location, error.sentence)
            return nil
        }
    }

    /// Ends the reading.
    private struct Excess: Error {
        var location: Location
        var sentence: String
    }

    private mutating func node(_ node: Node, depth: Int) throws(Excess) -> YAMLNode {
        let location = node.mark.map(text.location) ?? .start
        guard depth < YAMLReader.maximumDepth else {
            throw Excess(
                location: location,
                sentence: "this stands more than \(YAMLReader.maximumDepth) levels deep, where nothing is configured")
        }
        if let offset = node.mark.flatMap(text.offset), aliases.contains(offset) {
            return try aliased(at: offset, location: location)
        }
        try count(1, at: location)
        let content = try content(of: node, location: location, depth: depth)
        let made = YAMLNode(content: content, location: location)
        if let anchor = node.anchor { anchors[anchor.rawValue] = made }
        return made
    }

    private mutating func count(_ size: Int, at location: Location) throws(Excess) {
        total += size
        guard total <= YAMLReader.maximumSize else {
            throw Excess(
                location: location,
                sentence: "with its aliases the file has more than \(YAMLReader.maximumSize) values; write fewer")
        }
    }

    private mutating func aliased(at offset: Int, location: Location) throws(Excess) -> YAMLNode {
        let name = text.aliasName(at: offset) ?? ""
        if let named = anchors[name] {
            try count(named.size, at: location)
            return named
        }
        isWhole = false
        mistakes.report(location, "nothing above is called \(name); name a value with &\(name) before *\(name)")
        return YAMLNode(content: .scalar(YAMLScalar(text: "", isPlain: true, tag: nil)), location: location)
    }

    private mutating func content(
        of node: Node, location: Location, depth: Int
    ) throws(Excess) -> YAMLNode.Content {
        switch node {
        case .scalar(let scalar):
            let tag = known(scalar.tag.rawValue, at: location, among: YAMLTreeBuilder.scalarTags)
            return .scalar(YAMLScalar(text: scalar.string, isPlain: scalar.style == .plain && tag == nil, tag: tag))
        case .sequence(let sequence):
            known(sequence.tag.rawValue, at: location, among: ["seq"])
            var elements: [YAMLNode] = []
            for element in sequence { elements.append(try self.node(element, depth: depth + 1)) }
            return .list(elements)
        case .mapping(let mapping):
            known(mapping.tag.rawValue, at: location, among: ["map"])
            return .map(try entries(of: mapping, depth: depth))
        case .alias:
            // The parser makes them only to write YAML.
            return .scalar(YAMLScalar(text: "", isPlain: true, tag: nil))
        }
    }

    private static let scalarTags: Set<String> = ["str", "int", "float", "bool", "null"]

    /// The part of a tag that matters; nil for none.
    @discardableResult
    private mutating func known(_ tag: String, at location: Location, among names: Set<String>) -> String? {
        if tag.isEmpty { return nil }
        if tag == "!" { return "str" }
        let prefix = "tag:yaml.org,2002:"
        if tag.hasPrefix(prefix), names.contains(String(tag.dropFirst(prefix.count))) {
            return String(tag.dropFirst(prefix.count))
        }
        let shown = tag.hasPrefix(prefix) ? "!!" + tag.dropFirst(prefix.count) : tag
        mistakes.report(location, "the tag \(Words.quoted(shown)) means nothing here; leave it out")
        return nil
    }

    private mutating func entries(of mapping: Node.Mapping, depth: Int) throws(Excess) -> [YAMLEntry] {
        var entries: [YAMLEntry] = []
        var merged: [YAMLNode] = []
        var replaced: [(name: String, location: Location)] = []
        for (key, value) in mapping {
            let location = key.mark.map(text.location) ?? .start
            guard case .scalar(let scalar) = key else {
                mistakes.report(location, "a name is a text here, neither a list, a mapping nor an alias")
                continue
            }
            let value = try node(value, depth: depth + 1)
            if let renamed = key.mark.flatMap(text.offset).flatMap({ renamed[$0] }) {
                replaced.append((renamed.originalName(of: scalar.string), location))
                continue
            }
            for first in replaced where first.name == scalar.string {
                mistakes.report(
                    location,
                    """
                    \(Words.quoted(first.name)) stands here again, after line \(first.location.line); keep one of them
                    """)
            }
            replaced.removeAll { $0.name == scalar.string }
            if scalar.string == "<<", scalar.style == .plain {
                merged.append(value)
            } else {
                entries.append(YAMLEntry(key: scalar.string, location: location, value: value))
            }
        }
        for value in merged { merge(value, into: &entries) }
        return entries
    }

    /// What a mapping says itself goes before what it takes over; of several that it takes over, the first does.
    private mutating func merge(_ value: YAMLNode, into entries: inout [YAMLEntry]) {
        switch value.content {
        case .map(let others):
            let names = Set(entries.map(\.key))
            entries.append(contentsOf: others.filter { !names.contains($0.key) })
        case .list(let values) where values.allSatisfy { if case .map = $0.content { true } else { false } }:
            for value in values { merge(value, into: &entries) }
        default:
            mistakes.report(value.location, "<< takes over a mapping: <<: *name, where &name stands before a mapping")
        }
    }
}
