import Testing

/// Waits for a condition, and says where it did not come about.
func eventually(
    within limit: Duration = .seconds(10), _ comment: @autoclosure () -> String = "",
    sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record("it did not come about in \(limit): \(comment())", sourceLocation: sourceLocation)
            throw NotInTime()
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}

struct NotInTime: Error {}

extension Sequence {
    /// One after the other.
    func asyncMap<Output>(_ transform: (Element) async throws -> Output) async rethrows -> [Output] {
        var result: [Output] = []
        for element in self { result.append(try await transform(element)) }
        return result
    }
}
