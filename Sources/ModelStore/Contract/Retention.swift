/// How much of the log is kept.
public struct Retention: Hashable, Sendable {
    /// Seconds, at least 60; nil for any age.
    public var age: Int?
    /// At least 1000; nil for any number.
    public var events: Int?

    public init(age: Int? = nil, events: Int? = nil) {
        self.age = age
        self.events = events
    }

    /// Where the configuration says nothing: without a word in the configuration, too, a log does not grow for ever.
    public static let standard = Retention(events: 1_000_000)
}
