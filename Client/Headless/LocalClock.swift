import RolecallProtocol

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Timestamp {
    /// This moment, by the system's clock.
    static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// The time of day where the user is, `14:03:01.204`.
    var localTimeOfDay: String {
        func padded(_ value: some BinaryInteger, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        var moment = time_t(rest < 0 ? seconds - 1 : seconds)
        var local = tm()
        guard localtime_r(&moment, &local) != nil else { return description }
        return "\(padded(local.tm_hour, 2)):\(padded(local.tm_min, 2)):\(padded(local.tm_sec, 2))"
            + ".\(padded(rest < 0 ? rest + 1000 : rest, 3))"
    }
}
