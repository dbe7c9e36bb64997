import RolecallProtocol
import Terminal

/// Places in the list: marks with letters, the place before the last jump, and going to a time or a position.
extension ScreenState {
    /// What the next key names.
    enum MarkPurpose: Hashable, Sendable {
        case set
        case go
    }

    /// Takes the letter that follows `m` or `'`.
    mutating func typeMark(_ key: Key) {
        guard let purpose = awaitedMark else { return }
        awaitedMark = nil
        guard let character = key.text else { return say("A mark is named by a letter or a digit.") }
        switch purpose {
        case .set: setMark(character)
        case .go where character == "'" || character == "`": goBack()
        case .go: goToMark(character)
        }
    }

    mutating func setMark(_ name: Character) {
        guard name.isASCII, name.isLetter || name.isNumber else {
            return say("A mark is named by a letter or a digit.")
        }
        guard let selected else { return say("There is nothing to mark.") }
        marks[name] = selected
        say("Marked as \(name); '\(name) comes back here.")
    }

    private mutating func goToMark(_ name: Character) {
        guard let id = marks[name] else {
            let known = marks.keys.sorted().map(String.init).joined(separator: " ")
            return say(
                "There is no mark \(SafeText(String(name))).\(known.isEmpty ? " m sets one." : " There are \(known).")")
        }
        guard timeline[id] != nil else {
            marks[name] = nil
            return say("What was marked as \(name) is no longer in the list.")
        }
        jump(to: id)
    }

    /// Remembers where the list stands, for `''`.
    mutating func rememberPlace() { placeBefore = view }

    /// To the place before the last jump; again, and it is undone.
    private mutating func goBack() {
        guard let before = placeBefore else { return say("Nothing was jumped to yet.") }
        rememberPlace()
        view = before
        detail.version = nil
        detail.top = 0
        keepSelectionInSight()
    }

    private mutating func jump(to id: Int) {
        rememberPlace()
        focus = .list
        select(id)
        if !isShown(id) { say("The line itself is not shown here; this is the nearest one.") }
    }

    // MARK: Commands

    mutating func reduceMarkCommand(_ argument: String) -> [Effect]? {
        if let name = argument.first, argument.count == 1 {
            setMark(name)
            return []
        }
        guard argument.isEmpty else { return retype("mark", argument, "A mark is named by one letter or digit.") }
        let lines = marks.keys.sorted().map(String.init).joined(separator: " ")
        say(lines.isEmpty ? "There is no mark; /mark a sets one." : "Marks: \(lines)")
        return []
    }

    mutating func reduceTimeCommand(_ argument: String) -> [Effect]? {
        let names = TimeMode.allCases.map(\.rawValue)
        if argument.isEmpty {
            setTimeMode(timeMode.next)
        } else if let mode = TimeMode(rawValue: argument) {
            setTimeMode(mode)
        } else {
            return retype("time", argument, "The list tells the time as \(names.joined(separator: ", ")).")
        }
        return []
    }

    mutating func setTimeMode(_ mode: TimeMode) {
        timeMode = mode
        keepSelectionInSight()
        say("The list tells \(mode.explanation).")
    }

    mutating func reduceGoToCommand(_ argument: String) -> [Effect]? {
        if let name = argument.first, argument.count == 1 {
            goToMark(name)
        } else if let position = RolecallProtocol.Position(argument) {
            // Which of two positions comes first only the server knows.
            let id = timeline.ids.first { timeline.line($0)?.event.position == position }
            if let id { jump(to: id) } else { alarm("No event in the list stands at that position.") }
        } else if let time = Timestamp(argument) ?? timeOfDay(argument) {
            // Between events that are told later than they happened a note stands at another time.
            let id = firstEntry { entry in
                guard case .event = entry.content else { return false }
                return entry.time >= time
            }
            if let id {
                jump(to: id)
            } else if let last = lastShown {
                jump(to: last)
                say("Nothing is as late as \(argument.prefix(40)); this is the newest.")
            } else {
                alarm("The list is empty.")
            }
        } else {
            return retype("goto", argument, "That is no time as 14:03 or 14:03:07, no position, and no mark's letter.")
        }
        return []
    }

    private func firstEntry(where isThere: (Entry) -> Bool) -> Int? {
        var id = firstShown
        while let current = id, let entry = timeline[current] {
            if isThere(entry) { return current }
            id = shown(after: current)
        }
        return nil
    }

    /// When it was, or will soon be, `14:03` or `14:03:07` by the clock that the list shows; nil for anything else.
    private func timeOfDay(_ text: String) -> Timestamp? {
        let newest = lastShown.flatMap { timeline[$0]?.time } ?? now.wall
        let latest = max(now.wall, newest)
        let mode = timeMode == .utc ? TimeMode.utc : .clock
        let clock = mode.text(latest, after: nil, now: latest, width: 8)
        guard let wanted = Self.seconds(text), let shown = Self.seconds(clock) else { return nil }
        // What is later than anything was so yesterday.
        let passed = shown >= wanted ? shown - wanted : shown - wanted + 86_400
        let whole = latest.milliseconds - latest.milliseconds % 1000
        let (time, isFar) = whole.subtractingReportingOverflow(passed * 1000)
        return isFar ? nil : Timestamp(milliseconds: time)
    }

    /// The seconds since midnight of `14:03` or `14:03:07`.
    private static func seconds(_ text: String) -> Int64? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3 else { return nil }
        var seconds: Int64 = 0
        for (part, limit) in zip(parts, [Int64(24), 60, 60]) {
            guard (1...2).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let figure = Int64(part), figure < limit
            else { return nil }
            seconds = seconds * 60 + figure
        }
        return parts.count == 2 ? seconds * 60 : seconds
    }

    /// Puts a command back to be mended.
    mutating func retype(_ command: String, _ argument: String, _ fault: String) -> [Effect]? {
        input.set("/\(command) \(argument)")
        focus = .input
        alarm(fault)
        return nil
    }

    // MARK: Sideways

    /// How far lines that are not wrapped can be scrolled.
    mutating func scrollSideways(by columns: Int) {
        guard !isWrapped else { return say("Lines are wrapped; w unwraps them.") }
        let list = Layout(self).list
        let longest = ListWindow(self, list).rows.reduce(0) { longest, row in
            max(longest, timeline[row.entry].map { EntryView.hidden($0, self, width: list.columns) } ?? 0)
        }
        scrolledColumns = min(max(0, scrolledColumns + columns), longest)
    }
}
