import Terminal

/// Typing a filter or a search: the list shows what it would be while it is typed.
extension ScreenState {
    /// Opens the line in which a query is typed.
    ///
    /// - Parameter text: what stands in it.
    mutating func openPrompt(_ purpose: QueryPrompt.Purpose, _ text: String = "") {
        if prompt != nil { leavePrompt() }
        page = nil
        // Where the pane hides the list there would be nothing to see of what is typed.
        if Layout(self).placement == .full, detail.isOpen { detail = DetailPosition() }
        focus = .list
        prompt = QueryPrompt(purpose: purpose, view: view, search: search?.pattern.text)
        queryLines[purpose].set(text)
        promptChanged()
    }

    mutating func reducePrompt(_ request: Request) -> [Effect] {
        guard let prompt else { return [] }
        switch request {
        case .choose: acceptPrompt(prompt)
        case .completeTerm: completeTerm(prompt.purpose)
        case .historyOlder: queryLines[prompt.purpose].recall(-1)
        case .historyNewer: queryLines[prompt.purpose].recall(1)
        case .pageUp, .pageDown: return reduceList(request)
        default: queryLines[prompt.purpose].perform(request)
        }
        if self.prompt != nil { promptChanged() }
        return []
    }

    /// - Returns: how many characters were left out.
    @discardableResult
    mutating func typeInPrompt(_ text: String) -> Int {
        guard let purpose = prompt?.purpose else { return 0 }
        let dropped = queryLines[purpose].insert(text)
        promptChanged()
        return dropped
    }

    mutating func clearPrompt() {
        guard let purpose = prompt?.purpose else { return }
        queryLines[purpose].clear()
        promptChanged()
    }

    /// Leaves all as it was before the line was opened.
    mutating func leavePrompt() {
        guard let prompt else { return }
        self.prompt = nil
        queryLines[prompt.purpose].clear()
        sieve.show(preview: nil)
        if prompt.purpose == .search { startSearch(prompt.search ?? "") }
        view = prompt.view
        sieveChanged()
    }

    /// Shows what the text stands for as it is.
    private mutating func promptChanged() {
        guard var prompt else { return }
        let text = queryLines[prompt.purpose].text
        prompt.fault = nil
        switch prompt.purpose {
        case .filter(let place):
            do {
                sieve.show(preview: try filters(with: text, at: place))
                sieveChanged()
            } catch {
                // What was shown last stays until the text is a query again.
                prompt.fault = error
            }
        case .search:
            if search?.pattern.text != text {
                startSearch(text)
                view = prompt.view
                if !text.isEmpty { goToHit(from: prompt.view) }
            }
        }
        self.prompt = prompt
    }

    private mutating func acceptPrompt(_ prompt: QueryPrompt) {
        let text = queryLines[prompt.purpose].text
        switch prompt.purpose {
        case .filter(let place):
            do {
                let filters = try filters(with: text, at: place)
                let before = sieve.filters
                queryLines[prompt.purpose].remember()
                self.prompt = nil
                change(filters)
                tellFilters(before: before)
            } catch {
                alarm("\(error)")
            }
        case .search:
            guard search != nil else { return leavePrompt() }
            queryLines[prompt.purpose].remember()
            self.prompt = nil
            placeBefore = prompt.view
            tellHits()
        }
    }

    /// The filters with what is being typed among them; without it where it is empty.
    private func filters(with text: String, at place: Int?) throws(QueryError) -> [Filter] {
        var filters = sieve.filters
        let isEmpty = !text.contains { !$0.isWhitespace }
        guard let place, filters.indices.contains(place) else {
            return isEmpty ? filters : try self.filters(adding: text)
        }
        if isEmpty {
            filters.remove(at: place)
        } else if text != filters[place].text {
            var edited = try Filter(text, at: now.wall)
            edited.isFlipped = filters[place].isFlipped
            filters[place] = edited
        } else {
            filters[place].isOn = true
        }
        return filters
    }
}
