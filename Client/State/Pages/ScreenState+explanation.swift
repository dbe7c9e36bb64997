import RolecallProtocol
import Terminal
import WireJSON

/// Why somebody gets an event, or does not.
extension ScreenState {
    /// Asks for whom: about the selected event, or, on the page itself, about its event once more.
    mutating func askToExplain() -> [Effect] {
        if case .explanation(var shown) = page {
            shown.phase = .asking
            // The cursor stands at the end.
            shown.whom.set(shown.whom.text)
            page = .explanation(shown)
            return []
        }
        guard page == nil else { return [] }
        guard user != nil else {
            alarm("Only an admin is told why. F2 logs in.")
            return []
        }
        let chosen = focus == .detail ? detailed : selected
        guard let line = chosen.flatMap({ timeline.line($0) }) else {
            say("There is nothing to explain here: select an event.")
            return []
        }
        let key = SafeText(String((line.event.row["_id"]?.plainText ?? "").prefix(80))).text
        page = .explanation(
            ExplanationPage(
                position: line.event.position, title: "\(line.model) \(key)", whom: LineEditor(lastExplained ?? "")))
        // By their sockets people are known by their addresses.
        return people.showsSockets ? [] : list(.sockets)
    }

    mutating func reduceWhom(_ request: Request) -> [Effect] {
        guard case .explanation(var asked) = page else { return [] }
        switch request {
        case .choose:
            guard !asked.user.isEmpty else {
                say("For whom? An e-mail address, an _id, or guest.")
                return []
            }
            return explain(&asked)
        case .completeName: completeName(&asked.whom)
        default: asked.whom.perform(request)
        }
        page = .explanation(asked)
        return []
    }

    /// - Returns: how many characters were left out.
    mutating func typeWhom(_ text: String) -> Int {
        guard case .explanation(var asked) = page, asked.isAsking else { return 0 }
        let dropped = asked.whom.insert(text)
        page = .explanation(asked)
        return dropped
    }

    mutating func reduceExplanation(_ request: Request) -> [Effect] {
        guard case .explanation(var shown) = page else { return [] }
        if request == .reload {
            guard shown.phase != .loading else { return [] }
            return explain(&shown)
        }
        let height = ExplanationView.listHeight(self)
        switch request {
        case .down: scrollExplanation(by: 1)
        case .up: scrollExplanation(by: -1)
        case .pageDown: scrollExplanation(by: max(1, height - 1))
        case .pageUp: scrollExplanation(by: -max(1, height - 1))
        case .first: scrollExplanation(by: .min / 2)
        case .last: scrollExplanation(by: .max / 2)
        default: break
        }
        return []
    }

    mutating func scrollExplanation(by rows: Int) {
        guard case .explanation(var shown) = page, case .shown(let lines, let top) = shown.phase else { return }
        let count = ExplanationView.lines(lines, width: Layout(self).main.columns).count
        let last = max(0, count - ExplanationView.listHeight(self))
        shown.phase = .shown(lines, top: min(max(0, min(top, last) + rows), last))
        page = .explanation(shown)
    }

    mutating func reduceExplained(_ outcome: Outcome) {
        guard case .explanation(var shown) = page, shown.phase == .loading else { return }
        switch outcome {
        case .explained(let request, let explanation) where request == self.request(of: shown):
            shown.phase = .shown(ExplanationText.lines(explanation, isUnicode: isUnicode), top: 0)
        case .notExplained(let request, let reason) where request == self.request(of: shown):
            shown.phase = .failed(SafeText(String(reason.prefix(400))).text)
        default: return
        }
        page = .explanation(shown)
    }

    private mutating func explain(_ asked: inout ExplanationPage) -> [Effect] {
        asked.phase = .loading
        page = .explanation(asked)
        lastExplained = asked.user
        return [.explain(request(of: asked))]
    }

    private func request(of page: ExplanationPage) -> ExplanationRequest {
        ExplanationRequest(position: page.position, user: page.user, generation: generation)
    }

    // MARK: Completing

    /// Completes a name as far as it is certain: an address by its beginning or by its user's name.
    private mutating func completeName(_ whom: inout LineEditor) {
        let typed = whom.text.lowercased()
        var values: [String] = []
        for (value, names) in knownPeople where !values.contains(value) {
            if names.contains(where: { $0.lowercased().hasPrefix(typed) }) { values.append(value) }
        }
        guard let first = values.first else {
            return alarm("Nobody who is known here begins with \(whom.text.prefix(40)).")
        }
        let common = values.dropFirst().reduce(first) { common, value in
            String(zip(common, value).prefix { $0 == $1 }.map(\.0))
        }
        // By another name than the one that is typed nothing is certain but a single one.
        if values.count == 1 || common.count > typed.count && common.lowercased().hasPrefix(typed) {
            whom.set(common)
        } else {
            say(values.prefix(20).joined(separator: "  "))
        }
    }

    /// What stands for somebody, and what he is known by.
    private var knownPeople: [(value: String, names: [String])] {
        var known: [(value: String, names: [String])] = [("guest", ["guest"])]
        if let user { known.append((user.email, [user.email, user.name])) }
        for case .person(let person) in people.rows {
            // Where the address is not told, the id is all that names him.
            guard let id = person.id else { continue }
            let value = person.email ?? (id == user?.id ? user?.email : nil) ?? "\(id)"
            known.append((value, [value, person.name]))
        }
        return known
    }
}
