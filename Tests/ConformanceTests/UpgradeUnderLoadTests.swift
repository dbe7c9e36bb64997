import TestSupport
import Testing

@Suite("The upgrade under load", .blocks)
struct UpgradeUnderLoadTests {
    static let count = 5_000

    @Test(
        "of thousands of messages each way during the upgrade none is lost, doubled or out of order",
        arguments: [1, 2, 3])
    func nothingLost(seed: UInt64) throws {
        try withFixture { fixture in
            let client = try UpgradingClient(
                fixture, messages: Self.count, upgradeAfter: 500 * Int(seed), random: Seeded(seed))
            try client.run()
            #expect(client.sentByPolling > 0)
            #expect(client.sentByPolling < Self.count)
            #expect(client.echoes == Array(0..<Self.count))
            #expect(client.numbers == Array(0..<Self.count))
        }
    }
}
