/// How sentences about mistakes are put together.
enum Words {
    /// A text of the file in quotes: on one line, and no longer than can be read.
    static func quoted(_ text: String) -> String {
        let limit = 60
        var clean = ""
        for scalar in text.unicodeScalars.prefix(limit) {
            let isVisible = scalar.properties.generalCategory.isVisible || scalar == " "
            clean.unicodeScalars.append(isVisible ? scalar : "\u{FFFD}")
        }
        return text.unicodeScalars.count > limit ? "\"\(clean)...\"" : "\"\(clean)\""
    }

    /// A name of the database's: in quotes only where it is no plain word.
    static func name(_ name: String) -> String {
        let isWord = name.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || $0.properties.numericType != nil || "_-./".unicodeScalars.contains($0)
        }
        return isWord && (1...60).contains(name.unicodeScalars.count) ? name : quoted(name)
    }

    /// `a`, `a and b`, `a, b and c`.
    static func list(_ words: [String], _ conjunction: String = "and") -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return "\(words.dropLast().joined(separator: ", ")) \(conjunction) \(last)"
    }

    /// Which of these names was meant: the nearest, or, where none is near, those that there are.
    static func suggestion(for name: String, among names: [String], noun: String) -> String {
        if let nearest = nearest(to: name, among: names) { return "is \(quoted(nearest)) meant?" }
        if names.isEmpty { return "there is no \(noun)" }
        let shown = names.prefix(12).map(quoted)
        if names.count > shown.count {
            return "there are \(shown.joined(separator: ", ")) and \(names.count - shown.count) more"
        }
        return shown.count == 1 ? "there is \(shown[0])" : "there are \(list(shown))"
    }

    /// The name that differs the least, where it differs so little that a slip of the keys explains it.
    static func nearest(to name: String, among names: [String]) -> String? {
        let wanted = simplified(name)
        // Long ones are compared by their beginnings: the sentence is for a human eye, and time is bounded.
        let allowed = max(1, min(wanted.count, 24) / 3)
        var best: (name: String, distance: Int)?
        for candidate in names {
            let distance = distance(wanted, simplified(candidate))
            if distance <= allowed, distance < (best?.distance ?? .max) { best = (candidate, distance) }
        }
        return best?.name
    }

    /// Letters alone decide: neither case nor the kind of hyphen is a difference.
    private static func simplified(_ name: String) -> [Character] {
        name.lowercased().prefix(64).map { $0 == "_" || $0 == " " ? "-" : $0 }
    }

    /// Insertions, removals, replacements and exchanges of neighbours between two names.
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, character) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var cost = min(last[column + 1], current[column]) + 1
                cost = min(cost, last[column] + (character == other ? 0 : 1))
                if row > 0, column > 0, character == right[column - 1], left[row - 1] == other {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }
}

extension Unicode.GeneralCategory {
    fileprivate var isVisible: Bool {
        switch self {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            false
        default: true
        }
    }
}
