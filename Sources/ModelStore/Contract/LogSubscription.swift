/// A follower's subscription to the log or to the identity feed; it lasts until ``end()``.
public struct LogSubscription: Sendable {
    private let onEnd: @Sendable () -> Void

    /// - Parameter onEnd: what ``end()`` does; may be called more than once.
    public init(onEnd: @escaping @Sendable () -> Void) {
        self.onEnd = onEnd
    }

    /// After this returns, no turn begins any more. One that has begun may still be under way.
    public func end() {
        onEnd()
    }
}

/// A follower's turn. Its next one comes after this has ended.
public struct FollowerTurn: Sendable {
    private let onEnd: @Sendable () -> Void

    /// - Parameter onEnd: what ``end()`` does.
    public init(onEnd: @escaping @Sendable () -> Void) {
        self.onEnd = onEnd
    }

    /// Ends the turn, once. That can be long after its body has returned and on any thread: when all that was read has
    /// gone where it belongs, so that what is on its way stays bounded.
    public func end() { onEnd() }
}
