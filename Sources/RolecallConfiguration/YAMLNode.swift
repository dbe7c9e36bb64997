/// What stands in a YAML file, with where it stands. Aliases and merges are resolved.
struct YAMLNode: Sendable {
    enum Content: Sendable {
        case scalar(YAMLScalar)
        case list([YAMLNode])
        case map([YAMLEntry])
    }

    let content: Content
    let location: Location
    /// How many nodes it is made of, counting those behind aliases as often as they are reached.
    let size: Int

    init(content: Content, location: Location) {
        self.content = content
        self.location = location
        size =
            switch content {
            case .scalar: 1
            case .list(let elements): elements.reduce(1) { $0 + $1.size }
            case .map(let entries): entries.reduce(1) { $0 + $1.value.size }
            }
    }

    /// Whether nothing stands here: `key:` with no value, `~`, `null`.
    var isNothing: Bool {
        if case .scalar(let scalar) = content { scalar.isNull } else { false }
    }

    /// What it is, for a sentence.
    var noun: String {
        switch content {
        case .scalar(let scalar) where scalar.isNull: "nothing"
        case .scalar(let scalar): Words.quoted(scalar.text)
        case .list: "a list"
        case .map: "a mapping"
        }
    }
}

/// `key: value`. A key is always a text here, whatever it looks like: names of columns can be numbers.
struct YAMLEntry: Sendable {
    var key: String
    var location: Location
    var value: YAMLNode
}

/// A single value as it was written.
struct YAMLScalar: Sendable {
    var text: String
    /// Written without quotes, so that its looks decide what it is.
    var isPlain: Bool
    /// The part of an explicit tag behind `tag:yaml.org,2002:` (`!!str` is `str`); nil for none.
    var tag: String?

    var isNull: Bool { tag == "null" || tag == nil && isPlain && YAMLScalar.nulls.contains(text) }

    static let nulls: Set<String> = ["", "~", "null", "Null", "NULL"]
}
