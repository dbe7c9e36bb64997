/// What is done only after a second key.
struct Confirmation: Hashable, Sendable {
    /// A whole question, made safe.
    let question: String
    /// What a yes does.
    let effect: Effect
}

extension ScreenState {
    mutating func confirm(_ question: String, _ effect: Effect) {
        confirmation = Confirmation(question: SafeText(question).text, effect: effect)
    }

    mutating func reduceConfirmation(_ request: Request) -> [Effect] {
        guard let confirmation else { return [] }
        switch request {
        case .confirm:
            self.confirmation = nil
            switch confirmation.effect {
            case .signOut, .signOutEverywhere: return leave(confirmation.effect)
            default: return [confirmation.effect]
            }
        case .decline:
            self.confirmation = nil
            say("Nothing was done.")
            return []
        default: return []
        }
    }
}
