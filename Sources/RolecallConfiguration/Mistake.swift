/// A place in the configuration file, as editors count: both from 1, columns in characters of Unicode.
public struct Location: Hashable, Sendable, Comparable {
    public var line: Int
    public var column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    static let start = Location(line: 1, column: 1)

    public static func < (left: Location, right: Location) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// Something in the configuration file that can't stand as it is: where, what is wrong, and what would be right.
public struct Mistake: Error, Hashable, Sendable {
    /// The file's name, as its user gave it.
    public var file: String
    public var location: Location
    /// One sentence or two; no full stop at the end, no line break within.
    public var sentence: String

    public init(file: String, location: Location, sentence: String) {
        self.file = file
        self.location = location
        self.sentence = sentence
    }

    public var line: Int { location.line }
    public var column: Int { location.column }
}

extension Mistake: CustomStringConvertible {
    /// `rolecall.yml:12:7: orders has no column "custmer_id"; is "customer_id" meant?`
    public var description: String { "\(file):\(line):\(column): \(sentence)" }
}

/// The mistakes found so far, each told once: what stands behind an alias is looked at wherever the alias does.
struct Mistakes {
    let file: String
    private var found: [Mistake] = []
    private var known: Set<Mistake> = []

    init(file: String) {
        self.file = file
    }

    mutating func report(_ location: Location, _ sentence: String) {
        let mistake = Mistake(file: file, location: location, sentence: sentence)
        if known.insert(mistake).inserted { found.append(mistake) }
    }

    /// In the order of the file; those of one place in the order in which they were found.
    var inOrder: [Mistake] {
        found.enumerated().sorted { ($0.element.location, $0.offset) < ($1.element.location, $1.offset) }
            .map(\.element)
    }
}
