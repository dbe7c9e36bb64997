import ModelStore

/// A class of sockets that are sent the same events: they may see the same, and want the same of it.
struct ReceiverClass: Hashable, Sendable {
    var view: View
    var interest: Interest

    init(_ view: View, _ interest: Interest = .everything) {
        self.view = view
        self.interest = interest
    }

    /// What it comes down to in one model: classes that are the same there are sent the same bytes of its events.
    func reduced(to model: String, under policy: Policy) -> ReceiverClass? {
        guard interest.includes(model: model) else { return nil }
        return ReceiverClass(policy.view(view, in: model), interest.reduced(to: model))
    }
}
