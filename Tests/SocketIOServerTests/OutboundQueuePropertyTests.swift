import Foundation
import TestSupport
import Testing

/// What must hold for whatever a connection is sent and however its client reads, tried on random histories.
///
/// Everything that is appended has a number that grows. An event that stands for others names them on the wire, so that
/// what became of each can be told from what left and from what was taken out.
@Suite("The queue of a connection, whatever happens to it", .computes)
struct OutboundQueuePropertyTests {
    /// How many histories are tried in all. `ROLECALL_PROPERTY_CASES` sets another number.
    static let cases =
        ProcessInfo.processInfo.environment["ROLECALL_PROPERTY_CASES"].flatMap { Int($0) }.map { max(1, $0) } ?? 100_000

    private static let shards = 4

    @Test(
        "whole frames leave, everything once or accounted for, in order, and to the byte", arguments: 0..<shards)
    func histories(shard: Int) throws {
        var coverage = Coverage()
        for seed in stride(from: shard, to: Self.cases, by: Self.shards) {
            // One in 400 is long.
            var history = QueueHistory(seed: UInt64(seed), steps: seed % 1_600 < Self.shards ? 150 : nil)
            do {
                try history.run()
            } catch {
                Issue.record("seed \(seed): \(error)")
                return
            }
            coverage.add(history.coverage)
        }
        // The histories say nothing of what never happened in them.
        if Self.cases >= 10_000 { #expect(coverage.isFull, "\(coverage)") }
    }
}

/// How often what matters came about.
struct Coverage {
    var told = 0
    var stoodFor = 0
    var dropped = 0
    var discarded = 0
    var midFrame = 0
    var atBoundary = 0
    var nothingTaken = 0
    var splitBatches = 0
    var foldedInSlices = 0
    var foldedInVain = 0
    var toldWithinSpan = 0

    var isFull: Bool {
        [
            told, stoodFor, dropped, discarded, midFrame, atBoundary, nothingTaken, splitBatches, foldedInSlices,
            foldedInVain, toldWithinSpan,
        ]
        .allSatisfy { $0 > 100 }
    }

    mutating func add(_ other: Coverage) {
        told += other.told
        stoodFor += other.stoodFor
        dropped += other.dropped
        discarded += other.discarded
        midFrame += other.midFrame
        atBoundary += other.atBoundary
        nothingTaken += other.nothingTaken
        splitBatches += other.splitBatches
        foldedInSlices += other.foldedInSlices
        foldedInVain += other.foldedInVain
        toldWithinSpan += other.toldWithinSpan
    }
}
