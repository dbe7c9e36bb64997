import RolecallProtocol

/// Something that the user wants to be notified of.
struct Watch: Hashable, Sendable {
    /// As it was typed.
    let text: String
    let query: Query
}

/// Which events ring, and when they last did.
struct Watches: Hashable, Sendable {
    /// The most queries.
    static let limit = 20
    /// However much comes, it rings once in this time.
    static let interval = Duration.seconds(2)

    var all: [Watch] = []
    /// When it rang last, in uptime.
    var rangAt: Duration?
    /// How many events since did not ring.
    var silent = 0
}

/// Being notified.
extension ScreenState {
    /// What rings for an event that has just come.
    mutating func ring(for event: ModelEvent) -> [Effect] {
        // What somebody does himself is no news to him.
        guard !watches.all.isEmpty, event.by == nil || event.by?.id != user?.id,
            watches.all.contains(where: { $0.query.matches(event, now: now.wall) })
        else { return [] }
        if let last = watches.rangAt, now.uptime - last < Watches.interval {
            watches.silent += 1
            return []
        }
        let more = watches.silent > 0 ? " (and \(watches.silent) more)" : ""
        watches.rangAt = now.uptime
        watches.silent = 0
        guard let line = timeline.lastID.flatMap({ timeline.line($0) }) else { return [.bell] }
        let what = line.isChat ? "\(line.label): \(line.text)" : "\(line.model) \(line.label) \(line.text)"
        return [.bell, .notify(title: "Rolecall", body: "\(what.prefix(150))\(more)")]
    }

    /// `/notify QUERY`, `/notify off [NUMBER]`, and `/notify`, which tells what there is.
    mutating func notify(_ argument: String) -> [Effect]? {
        let words = argument.split(separator: " ")
        guard let first = words.first else {
            guard !watches.all.isEmpty else {
                say("Nothing rings. /notify QUERY makes it ring.")
                return []
            }
            for (number, watch) in watches.all.enumerated() { note("notify \(number + 1): \(watch.text)") }
            say("It rings for \(watches.all.count) of these; /notify off NUMBER ends one.")
            return []
        }
        guard first == "off" else { return addWatch(argument) ? [] : nil }
        guard words.count > 1 else {
            watches = Watches()
            say("Nothing rings any more.")
            return []
        }
        guard words.count == 2, let number = Int(words[1]), watches.all.indices.contains(number - 1) else {
            alarm("/notify off NUMBER, from 1 to \(watches.all.count); \"off\" in quotes is a word to look for.")
            return nil
        }
        say("It no longer rings for \(watches.all.remove(at: number - 1).text).")
        return []
    }

    /// - Returns: whether it was added.
    mutating func addWatch(_ text: String) -> Bool {
        let query: Query
        do {
            query = try Query(parsing: text)
        } catch {
            alarm("/notify: \(error)")
            return false
        }
        guard !watches.all.contains(where: { $0.query == query }) else {
            alarm("It rings for that already.")
            return false
        }
        guard watches.all.count < Watches.limit else {
            alarm("\(Watches.limit) queries are the most; /notify off NUMBER ends one.")
            return false
        }
        watches.all.append(Watch(text: text, query: query))
        say("It rings for \(text).")
        return true
    }
}
