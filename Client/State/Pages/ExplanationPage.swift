import RolecallProtocol

/// The page that asks for whom an event is to be explained, and then shows why that user gets it, or does not.
struct ExplanationPage: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        /// The name is being typed.
        case asking
        case loading
        /// - Parameter top: the first line in sight.
        case shown([ExplanationText.Line], top: Int)
        /// - Parameter String: a whole sentence, made safe.
        case failed(String)
    }

    let position: Position
    /// The event in a few words, made safe.
    let title: String
    var whom: LineEditor
    var phase = Phase.asking

    var isAsking: Bool { phase == .asking }
    /// Whom it is about, without what was typed around it.
    var user: String {
        String(whom.text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

/// What is asked of the server for that page.
struct ExplanationRequest: Hashable, Sendable {
    let position: Position
    /// An `_id`, an e-mail address, or `guest`.
    let user: String
    /// That of the identity that asks.
    let generation: Int
}
