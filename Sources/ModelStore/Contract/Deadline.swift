/// By when a call must have come to its end.
///
/// A call that has not then ends with ``StoreError/overdue`` and leaves nothing; so does one whose task is cancelled,
/// with `CancellationError`. A commit that has begun is waited for: what it came to is part of the answer.
public struct Deadline: Hashable, Sendable {
    /// Nil for what the store allows by itself, counted from the call (``RowStore/standardTimeout``).
    public let instant: ContinuousClock.Instant?

    private init(instant: ContinuousClock.Instant?) { self.instant = instant }

    /// What the store allows by itself.
    public static let standard = Deadline(instant: nil)

    public static func within(_ duration: Duration) -> Deadline { at(.now + duration) }

    public static func at(_ instant: ContinuousClock.Instant) -> Deadline { Deadline(instant: instant) }

    /// The moment itself, for a store with this timeout.
    public func moment(standard timeout: Duration) -> ContinuousClock.Instant { instant ?? .now + timeout }
}
