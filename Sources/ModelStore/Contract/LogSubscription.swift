/// One who follows the log of a ``Store``, from ``Store/follow(_:)`` to ``end()``.
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

/// A follower's turn to read the log. Its next one comes after this has ended.
public struct LogTurn: Sendable {
    private let onEnd: @Sendable (Bool) -> Void

    /// - Parameter onEnd: what ``end(wantsMore:)`` does.
    public init(onEnd: @escaping @Sendable (_ wantsMore: Bool) -> Void) {
        self.onEnd = onEnd
    }

    /// Ends the turn, once. That can be long after its body has returned and on any thread: when all that was read has
    /// gone where it belongs, so that what is on its way stays bounded.
    ///
    /// - Parameter wantsMore: whether the next turn is to come at once, since the log holds more than was read.
    public func end(wantsMore: Bool = false) {
        onEnd(wantsMore)
    }
}
