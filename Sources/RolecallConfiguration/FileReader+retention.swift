import ModelStore

extension FileReader {
    mutating func readRetention(_ node: YAMLNode) {
        let expected = "{age: 30d, events: 1000000}, or one of them"
        guard let entries = nodes.entries(node, "retention", takes: expected) else { return }
        var read = Retention()
        for entry in entries {
            switch entry.key {
            case "age": read.age = age(entry.value)
            case "events": read.events = events(entry.value)
            default: nodes.unknown(entry, in: "retention", among: ["age", "events"])
            }
        }
        if entries.isEmpty { report(node.location, "retention says nothing; write \(expected), or leave it out") }
        retention = read
    }

    /// Seconds.
    private mutating func age(_ node: YAMLNode) -> Int? {
        let expected = "a time like 12h or 30d, from 1 minute to 100 years"
        guard let text = nodes.text(node, "age", takes: expected)?.value else { return nil }
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int(text.dropLast()), count > 0,
            case let (seconds, overflow) = count.multipliedReportingOverflow(by: unit), !overflow,
            (60...100 * 365 * 86_400).contains(seconds)
        else { return nodes.refuse(node, "age", takes: expected) }
        return seconds
    }

    private mutating func events(_ node: YAMLNode) -> Int? {
        let expected = "the number of events that are kept at most, from 1000 on"
        guard case .scalar(let scalar) = node.content, scalar.isPlain, let count = Int(scalar.text), count >= 1000
        else { return nodes.refuse(node, "events", takes: expected) }
        return count
    }
}
