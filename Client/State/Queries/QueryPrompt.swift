/// The line in which a filter or a search is typed, and what it was before.
struct QueryPrompt: Hashable, Sendable {
    enum Purpose: Hashable, Sendable {
        /// - Parameter place: that of the filter that is edited; nil for one that is added.
        case filter(place: Int?)
        case search
    }

    let purpose: Purpose
    /// The list's place when the line was opened, for who leaves it.
    let view: ListPosition
    /// What was searched for when the line was opened.
    let search: String?
    /// Why the text is no query.
    var fault: QueryError?
}

/// What has been typed into such lines; each keeps its history.
struct QueryLines: Hashable, Sendable {
    var filter = LineEditor()
    var search = LineEditor()

    subscript(purpose: QueryPrompt.Purpose) -> LineEditor {
        get { purpose == .search ? search : filter }
        set { if purpose == .search { search = newValue } else { filter = newValue } }
    }
}
