import RolecallProtocol
import WireJSON

/// An explanation as lines of text, for the screen and for people who read the verb's. All of it was made safe.
enum ExplanationText {
    enum Kind: Hashable, Sendable {
        /// What comes of it all.
        case outcome
        case fact
        /// Which of the two rows.
        case heading
        case granted
        case refused
        /// Why a rule does not grant.
        case reason
        case withheld
    }

    struct Line: Hashable, Sendable {
        var kind: Kind
        var indent: Int
        var text: String
    }

    /// The most rules of a row, and reasons of a rule, that are shown.
    private static let longestList = 200
    private static let longestText = 600

    static func lines(_ explanation: EventExplanation, isUnicode: Bool) -> [Line] {
        var lines = [line(.outcome, 0, explanation.sentence)]
        lines.append(line(.fact, 0, facts(explanation)))
        if !explanation.changed.isEmpty {
            lines.append(line(.fact, 0, "told to have changed: \(explanation.changed.joined(separator: ", "))"))
        }
        let isRemoval = explanation.after == nil
        if let before = explanation.before {
            lines += side(before, title: isRemoval ? "The row that was removed" : "Before", isUnicode: isUnicode)
        }
        if let after = explanation.after {
            lines += side(after, title: explanation.before == nil ? "The row" : "After", isUnicode: isUnicode)
        }
        return lines
    }

    private static func facts(_ explanation: EventExplanation) -> String {
        var text = explanation.model
        if let key = explanation.key { text += " \(key.plainText.prefix(80))" }
        text += " was \(explanation.change)"
        if let by = explanation.by { text += " by \(by.name.prefix(80)) (\(by.id))" }
        if let at = Timestamp(explanation.at) { text += " at \(at)" }
        return text
    }

    private static func side(_ side: EventExplanation.Side, title: String, isUnicode: Bool) -> [Line] {
        let (yes, no) = isUnicode ? ("✓", "✗") : ("ok", "no")
        var lines = [line(.heading, 0, "\(title): \(side.isVisible ? "in sight" : "out of sight")")]
        if let obstacle = side.obstacle { lines.append(line(.reason, 1, "\(no) \(obstacle.sentence)")) }
        if side.rules.isEmpty { lines.append(line(.reason, 1, "\(no) There is no read rule.")) }
        for rule in side.rules.prefix(longestList) {
            let sign = rule.isGranted ? yes : no
            lines.append(line(rule.isGranted ? .granted : .refused, 1, "\(sign) rule \(rule.number): \(rule.asks)"))
            lines += rule.reasons.prefix(longestList).map { line(.reason, 4, $0.sentence) }
        }
        cut(side.rules.count, "rule", &lines)
        if !side.withheld.isEmpty {
            lines.append(line(.withheld, 1, "kept back:"))
            lines += side.withheld.prefix(longestList).map { line(.withheld, 4, $0.sentence) }
            cut(side.withheld.count, "field", &lines)
        }
        return lines
    }

    private static func cut(_ count: Int, _ noun: String, _ lines: inout [Line]) {
        if count > longestList { lines.append(line(.fact, 1, "and \(Words.count(count - longestList, noun)) more")) }
    }

    private static func line(_ kind: Kind, _ indent: Int, _ text: String) -> Line {
        Line(kind: kind, indent: indent, text: SafeText(String(text.prefix(longestText))).text)
    }
}
