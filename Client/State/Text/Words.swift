import RolecallProtocol

/// Figures as people read them.
enum Words {
    /// `6 s`, `3 min`, `2 h`.
    static func span(_ duration: Duration) -> String {
        let seconds = max(0, Int(clamping: duration.components.seconds))
        switch seconds {
        case ..<120: return "\(seconds) s"
        case ..<7200: return "\(seconds / 60) min"
        default: return "\(seconds / 3600) h"
        }
    }

    /// What is left until something, to the minute where it is far: `45 s`, `12 min`, `4 h 12 min`, `3 d 4 h`.
    static func left(_ duration: Duration) -> String {
        let seconds = max(0, Int(clamping: duration.components.seconds))
        func pair(_ great: Int, _ greatUnit: String, _ small: Int, _ smallUnit: String) -> String {
            small == 0 ? "\(great) \(greatUnit)" : "\(great) \(greatUnit) \(small) \(smallUnit)"
        }
        switch seconds {
        case ..<120: return "\(countdown(duration)) s"
        case ..<3600: return "\(seconds / 60) min"
        case ..<86_400: return pair(seconds / 3600, "h", seconds / 60 % 60, "min")
        default: return pair(seconds / 86_400, "d", seconds / 3600 % 24, "h")
        }
    }

    /// `3 min ago`.
    static func ago(_ time: Timestamp, now: Timestamp) -> String {
        let passed = now.milliseconds.subtractingReportingOverflow(time.milliseconds)
        return "\(left(.milliseconds(passed.overflow ? 0 : max(0, passed.partialValue)))) ago"
    }

    /// `1 socket`, `2 sockets`.
    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    /// `4,096`.
    static func number(_ number: Int) -> String {
        if abs(number) < 1000 { return String(number) }
        var text = ""
        for (place, digit) in String(abs(number)).reversed().enumerated() {
            if place > 0, place % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return (number < 0 ? "-" : "") + String(text.reversed())
    }

    /// `640 B`, `73 KB`, `1.4 MB`, of 1024 each.
    static func size(_ bytes: Int) -> String {
        switch bytes {
        case ..<1024: return "\(bytes) B"
        case ..<(1 << 20): return "\(bytes >> 10) KB"
        default: return "\(bytes >> 20).\((bytes & 0xF_FFFF) * 10 >> 20) MB"
        }
    }

    /// Whole seconds that are left, rounded up.
    static func countdown(_ duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        return max(0, Int(clamping: seconds) + (attoseconds > 0 ? 1 : 0))
    }

    /// `12 ms`, `1.4 s`.
    static func latency(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds =
            Int(clamping: seconds).multipliedReportingOverflow(by: 1000).partialValue
            + Int(attoseconds / 1_000_000_000_000_000)
        if milliseconds < 1000 { return "\(max(1, milliseconds)) ms" }
        return "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
    }

    /// The time of day to the minute.
    static func clock(_ time: Timestamp) -> String { String(time.localTimeOfDay.prefix(5)) }
}
