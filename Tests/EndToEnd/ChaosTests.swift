import Foundation
import Testing

extension EndToEnd {
    @Suite("Crashes")
    struct ChaosTests {
        @Test("under kills, a stop, resets and a lock no event is lost, doubled, disordered or told to others")
        func notOne() async throws {
            let script = try Programs.root().appendingPathComponent("Tests/Chaos/run.py")
            let run = try await Shell.run(
                Programs.python(),
                [
                    script.path, "--kills", "3", "--faults", "stop,reset,lock", "--seed", "3", "--minutes", "4",
                    "--no-measurement", "--server", Programs.server().path, "--client", Programs.client().path,
                ], within: .seconds(400))
            // Among it what the short form leaves out.
            for line in run.output { print("chaos: \(line)") }
            #expect(run.exit == .status(0), "\(run)")
            #expect(run.output.contains { $0.contains("; kill 3, lock 1, reset 1, stop 1;") })
            let numbers = try #require(run.output.last?.firstMatch(of: /^(\d+) events told: (.*)$/))
            #expect(try #require(Int(numbers.1)) > 300)
            #expect(numbers.2 == "0 lost, 0 doubled, 0 disordered, 0 leaked; 0 gaps, 0 other problems")
        }
    }
}
