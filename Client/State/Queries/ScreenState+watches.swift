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
            let line = timeline.lastID.flatMap({ timeline.line($0) }),
            watches.all.contains(where: { $0.query.matches(line, now: now.wall) })
        else { return [] }
        return ring(line.isChat ? "\(line.label): \(line.text)" : "\(line.model) \(line.label) \(line.text)")
    }

    /// What rings for somebody who has just come on; a line of the list tells it.
    mutating func ring(for presence: Presence) -> [Effect] {
        guard presence.userID != user?.id, watches.all.contains(where: { $0.query.matches(presence) }) else {
            return []
        }
        let what = "\(presence.name)\(presence.role.map { " (\($0))" } ?? "") came on"
        note(what)
        return ring(what)
    }

    private mutating func ring(_ what: String) -> [Effect] {
        if let last = watches.rangAt, now.uptime - last < Watches.interval {
            watches.silent += 1
            return []
        }
        let more = watches.silent > 0 ? " (and \(watches.silent) more)" : ""
        watches.rangAt = now.uptime
        watches.silent = 0
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
            alarm("/notify: \(error.brief)")
            return false
        }
        if let contradiction = query.contradiction {
            alarm("That can never ring: \(contradiction).")
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
        say("It rings for \(text)\(scope(of: query)).")
        return true
    }

    /// What of a watch can ring as things are; begins with a sign, and lacks its full stop.
    private func scope(of query: Query) -> String {
        if query.isAboutPeople {
            let roles = query.terms.contains { if case .role = $0.condition { true } else { false } }
            let rows = roles ? "rows of users with that role change" : "there is a change by that name"
            guard user != nil else { return ", where \(rows). Who comes on is told after F2, log in" }
            let isTold = people.present.isEmpty || people.present.values.contains { $0.role != nil }
            guard !roles || isTold else { return ", where \(rows). Of who comes on you are not told the role" }
            return ": when such a person comes on, and when \(rows)"
        }
        let told = identity?.models ?? []
        let unknown = query.terms.compactMap { term -> String? in
            guard !term.isNegated, case .model(let model) = term.condition, !told.contains(model) else { return nil }
            return model
        }
        guard let model = unknown.first, !told.isEmpty else { return "" }
        return ", but as you are now, you are told nothing of \(model), only of \(told.joined(separator: ", "))"
    }
}
