/// A stretch of an application's events of which some were left out, since newer ones within it stand for them.
///
/// A client that has been told one event of a span, and not its last, has not been told all that came before. Which
/// events those are follows from the span alone: of the events of a key, from ``first`` to ``last``, all but the
/// newest are left out, and the newest stands for them. So the number of the last event that a client was told, and
/// the span, say exactly what it has and what it lacks.
public struct FoldedSpan: Hashable, Sendable {
    /// The number of the first event that was left out.
    public let first: Int64
    /// The number of the last event that stands for others.
    public let last: Int64

    public init(first: Int64, last: Int64) {
        self.first = first
        self.last = last
    }
}

/// The span of one pass of folding, as it grows.
final class FoldedSpanBounds {
    private var first = Int64.max
    private var last = Int64.min

    /// An event is left out, and a newer one stands for it.
    func leaveOut(_ number: Int64, for newer: Int64) {
        guard number > 0 else { return }
        first = min(first, number)
        last = max(last, newer)
    }

    func join(_ span: FoldedSpan) {
        first = min(first, span.first)
        last = max(last, span.last)
    }

    /// What an event of this number is part of; nil for an event outside.
    func span(around number: Int64) -> FoldedSpan? {
        first <= number && number <= last ? FoldedSpan(first: first, last: last) : nil
    }
}
