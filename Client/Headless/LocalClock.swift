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
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        var moment = time_t(rest < 0 ? seconds - 1 : seconds)
        var local = tm()
        guard localtime_r(&moment, &local) != nil else { return description }
        let fraction = Int(rest < 0 ? rest + 1000 : rest)
        // A list shows thousands of them: digit by digit is ten times as fast as by the parts' descriptions.
        return String(unsafeUninitializedCapacity: 12) { text in
            func write(_ number: Int, width: Int, endingAt end: Int, before separator: UInt8?) {
                var number = number
                for place in (end - width..<end).reversed() {
                    text[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10)
                    number /= 10
                }
                if let separator { text[end] = separator }
            }
            write(Int(local.tm_hour), width: 2, endingAt: 2, before: UInt8(ascii: ":"))
            write(Int(local.tm_min), width: 2, endingAt: 5, before: UInt8(ascii: ":"))
            write(Int(local.tm_sec), width: 2, endingAt: 8, before: UInt8(ascii: "."))
            write(fraction, width: 3, endingAt: 12, before: nil)
            return 12
        }
    }
}
