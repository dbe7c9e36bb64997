import Terminal

/// The signs of the program's own that are not ASCII, and what stands for them where only ASCII may be shown.
struct Signs: Hashable, Sendable {
    let isUnicode: Bool

    var arrow: String { isUnicode ? "→" : "->" }
    /// Between two things that are told beside each other.
    var dot: String { isUnicode ? "·" : "-" }
    /// Where something was left out.
    var ellipsis: String { (isUnicode ? LineArt.unicode : LineArt.ascii).ellipsis }

    /// A text of so many characters at most, and a sign where it was longer.
    func shortened(_ text: String, to limit: Int) -> String {
        text.count > limit ? "\(text.prefix(limit))\(ellipsis)" : text
    }
}
