import RolecallProtocol

/// How the list tells when something happened.
enum TimeMode: String, Hashable, Sendable, CaseIterable {
    /// Where the user is.
    case clock
    /// How long ago.
    case relative
    /// After the line above.
    case delta
    case utc

    var next: TimeMode {
        switch self {
        case .clock: .relative
        case .relative: .delta
        case .delta: .utc
        case .utc: .clock
        }
    }

    /// For the footer.
    var explanation: String {
        switch self {
        case .clock: "the time of day here"
        case .relative: "how long ago"
        case .delta: "how long after the line above"
        case .utc: "the time of day in UTC"
        }
    }

    /// How many columns it takes, where there is room for so many of the time of day: 12, 8 or 5.
    func columns(_ clock: Int) -> Int {
        switch self {
        case .clock, .utc: clock
        case .relative: 4
        case .delta: clock > 5 ? 8 : 5
        }
    }

    /// - Parameters:
    ///   - before: when the line above happened.
    ///   - width: in columns; what is longer is cut at its end, what is shorter stands at the right.
    func text(_ time: Timestamp, after before: Timestamp?, now: Timestamp, width: Int) -> String {
        let text: String
        switch self {
        case .clock: text = String(time.localTimeOfDay.prefix(width))
        case .utc: text = String(time.description.drop { $0 != "T" }.dropFirst().prefix(min(width, 12)))
        case .relative: text = Self.short(Self.difference(now, time))
        case .delta: text = before.map { Self.precise(Self.difference(time, $0), width: width) } ?? ""
        }
        return String(repeating: " ", count: max(0, width - text.utf8.count)) + text.prefix(width)
    }

    private static func difference(_ later: Timestamp, _ earlier: Timestamp) -> Int64 {
        let difference = later.milliseconds.subtractingReportingOverflow(earlier.milliseconds)
        return difference.overflow ? .max : difference.partialValue
    }

    /// `12s`, `3m`, `4h`, `5d`; the future is now.
    private static func short(_ milliseconds: Int64) -> String {
        let seconds = max(0, milliseconds / 1000)
        switch seconds {
        case ..<60: return "\(seconds)s"
        case ..<3600: return "\(seconds / 60)m"
        case ..<86_400: return "\(seconds / 3600)h"
        default: return "\(min(999, seconds / 86_400))d"
        }
    }

    /// `+0.204`, `+12.031`, `-0.5`, `+3:07`, `+2:03:07`, `+4d 2h`.
    private static func precise(_ milliseconds: Int64, width: Int) -> String {
        let sign = milliseconds < 0 ? "-" : "+"
        let amount = milliseconds.magnitude
        let seconds = amount / 1000
        func two(_ value: UInt64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        switch seconds {
        case ..<60:
            let rest = String(amount % 1000)
            let whole = "\(sign)\(seconds).\(String(repeating: "0", count: 3 - rest.utf8.count))\(rest)"
            return String(whole.prefix(width))
        case ..<3600: return "\(sign)\(seconds / 60):\(two(seconds % 60))".fitting(width) ?? "\(sign)\(seconds / 60)m"
        case ..<86_400:
            let clock = "\(sign)\(seconds / 3600):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
            return clock.fitting(width) ?? "\(sign)\(seconds / 3600)h"
        default: return "\(sign)\(min(999, seconds / 86_400))d"
        }
    }
}

extension String {
    /// Nil where it is longer. For ASCII.
    fileprivate func fitting(_ width: Int) -> String? { utf8.count <= width ? self : nil }
}
