/// The text exposition format of Prometheus, version 0.0.4.
enum PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    static func text(of registry: MetricRegistry) -> String {
        var text = ""
        for (name, family) in registry.all {
            let name = Self.name(name)
            if !family.help.isEmpty { text += "# HELP \(name) \(escapedHelp(family.help))\n" }
            text += "# TYPE \(name) \(family.kind.rawValue)\n"
            for member in family.members {
                switch member.instrument {
                case .counter(let counter): text += line(name, member.labels, "\(counter.value)")
                case .gauge(let gauge): text += line(name, member.labels, number(gauge.value))
                case .reading(let read): text += line(name, member.labels, number(read()))
                case .histogram(let histogram): text += lines(name, member.labels, histogram)
                }
            }
        }
        return text
    }

    private static func lines(
        _ name: String, _ labels: MetricRegistry.Labels, _ histogram: HistogramInstrument
    ) -> String {
        let contents = histogram.contents
        var text = ""
        var total: UInt64 = 0
        for (bound, count) in zip(histogram.bounds.map(number) + ["+Inf"], contents.counts) {
            total += count
            text += line("\(name)_bucket", labels + [(name: "le", value: bound)], "\(total)")
        }
        return text + line("\(name)_sum", labels, number(contents.sum)) + line("\(name)_count", labels, "\(total)")
    }

    private static func line(_ name: String, _ labels: MetricRegistry.Labels, _ value: String) -> String {
        let pairs = labels.map { "\(Self.name($0.name))=\"\(escapedValue($0.value))\"" }
        return "\(name)\(pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}") \(value)\n"
    }

    /// A name with no other characters than the format takes in one.
    private static func name(_ name: String) -> String {
        var result = ""
        for scalar in name.unicodeScalars {
            let isDigit = ("0"..."9").contains(scalar)
            let isLetter = ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
            if isDigit, result.isEmpty { result += "_" }
            result += isDigit || isLetter || scalar == ":" ? String(scalar) : "_"
        }
        return result
    }

    private static func escapedHelp(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    }

    private static func escapedValue(_ text: String) -> String {
        escapedHelp(text).replacing("\"", with: "\\\"")
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return "\(whole)" }
        return "\(value)"
    }
}
