import Testing

@testable import SocketIOServer

@Suite("Answers to scripts of other origins")
struct CrossOriginSharingTests {
    private let origin = "https://app.example.org"

    private func lines(_ fields: [CrossOriginSharing.Field]) -> [String] { fields.map { "\($0.name): \($0.value)" } }

    @Test("a listed origin may read the answer with its visitor's cookies, and the fields that are exposed")
    func listed() {
        let grant = [
            "Access-Control-Allow-Origin: \(origin)", "Access-Control-Allow-Credentials: true", "Vary: Origin",
        ]
        #expect(lines(CrossOriginSharing(methods: ["GET"]).fields(forListed: origin)) == grant)
        let exposing = CrossOriginSharing(methods: ["GET"], exposedFields: ["X-One", "X-Two"])
        #expect(
            lines(exposing.fields(forListed: origin)) == grant + ["Access-Control-Expose-Headers: X-One, X-Two"])
    }

    @Test("any other answer says only that it depends on the origin")
    func unlisted() {
        let sharing = CrossOriginSharing(methods: ["GET"], exposedFields: ["X-One"])
        #expect(lines(sharing.fields(forListed: nil)) == ["Vary: Origin"])
    }

    @Test("a preflight answer grants the methods, and the header fields that were asked for")
    func preflight() {
        let sharing = CrossOriginSharing(methods: ["GET", "POST"], exposedFields: ["X-One"])
        let plain = lines(sharing.preflightFields(forListed: origin, requestedFields: nil))
        #expect(
            plain == [
                "Access-Control-Allow-Origin: \(origin)", "Access-Control-Allow-Credentials: true", "Vary: Origin",
                "Access-Control-Allow-Methods: GET, POST", "Access-Control-Max-Age: 600",
            ])
        let asking = lines(sharing.preflightFields(forListed: origin, requestedFields: "authorization, x-one"))
        #expect(Set(asking).subtracting(plain) == ["Access-Control-Allow-Headers: authorization, x-one"])
    }
}
