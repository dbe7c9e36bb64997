/// A moment, in milliseconds since 1970-01-01T00:00:00Z; on the wire `2026-11-22T13:45:01.123Z`.
public struct Timestamp: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let milliseconds: Int64

    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    public init(seconds: Double) {
        let scaled = (seconds * 1000).rounded()
        self.milliseconds = Int64(exactly: scaled) ?? (scaled < 0 ? .min : .max)
    }

    public var seconds: Double { Double(milliseconds) / 1000 }

    /// Reads `YYYY-MM-DDTHH:MM:SS[.fff]Z`; nil for anything else.
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "T"), omittingEmptySubsequences: false)
        guard parts.count == 2, text.utf8.last == UInt8(ascii: "Z") else { return nil }
        let date = parts[0].split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        let time = parts[1].dropLast().split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard date.count == 3, time.count == 3,
            let year = Timestamp.digits(date[0], count: 4), let month = Timestamp.digits(date[1], count: 2),
            let day = Timestamp.digits(date[2], count: 2), let hour = Timestamp.digits(time[0], count: 2),
            let minute = Timestamp.digits(time[1], count: 2),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60
        else { return nil }
        let secondParts = time[2].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard let second = Timestamp.digits(secondParts[0], count: 2), second < 61, secondParts.count <= 2 else {
            return nil
        }
        var fraction: Int64 = 0
        if secondParts.count == 2 {
            guard let read = Timestamp.digits(secondParts[1], count: 3) else { return nil }
            fraction = read
        }
        let days = Timestamp.days(year: year, month: month, day: day)
        // The thirtieth of February would be read as a day of March.
        guard Timestamp.date(days: days) == (year, month, day) else { return nil }
        milliseconds = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + fraction
    }

    public var description: String {
        let day = Timestamp.floorDivision(milliseconds, 86_400_000)
        // Not by multiplying back, which overflows at the ends of the range.
        let rest = (milliseconds % 86_400_000 + 86_400_000) % 86_400_000
        let date = Timestamp.date(days: day)
        func padded(_ value: Int64, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
        }
        let clock =
            "\(padded(rest / 3_600_000, 2)):\(padded(rest / 60_000 % 60, 2)):\(padded(rest / 1000 % 60, 2))"
            + ".\(padded(rest % 1000, 3))"
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T\(clock)Z"
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    private static func digits(_ text: Substring.UTF8View.SubSequence, count: Int) -> Int64? {
        guard text.count == count else { return nil }
        var value: Int64 = 0
        for byte in text {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        return value
    }

    private static func floorDivision(_ a: Int64, _ b: Int64) -> Int64 {
        a % b < 0 ? a / b - 1 : a / b
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar, counted in years that begin in March, so that
    /// the leap day stands last.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = floorDivision(y, 400)
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = floorDivision(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}
