import Testing

/// What the body gives, once it gives something.
func eventually<Output: Sendable>(_ body: () async throws -> Output?) async throws -> Output {
    let deadline = ContinuousClock.now + .seconds(60)
    while true {
        if let output = try await body() { return output }
        try #require(ContinuousClock.now < deadline, "it never came")
        try await Task.sleep(for: .milliseconds(10))
    }
}
