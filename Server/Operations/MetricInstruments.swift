import CoreMetrics
import Synchronization

/// A number that only goes up.
final class CounterInstrument: CounterHandler {
    private let count = Atomic<Int64>(0)

    var value: Int64 { count.load(ordering: .relaxed) }

    func increment(by amount: Int64 = 1) {
        guard amount > 0 else { return }
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    func reset() {
        count.store(0, ordering: .relaxed)
    }
}

/// A number that goes up and down.
final class GaugeInstrument: MeterHandler, RecorderHandler {
    private let number = Mutex(0.0)

    var value: Double { number.withLock(\.self) }

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { number.withLock { $0 = value } }
    func increment(by amount: Double) { number.withLock { $0 += amount } }
    func decrement(by amount: Double) { number.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }
}

/// How often a value fell under each of some bounds.
final class HistogramInstrument: RecorderHandler, TimerHandler {
    struct Contents: Sendable, Equatable {
        /// For each bound how many values were not above it, and of the bound before; at last those above all.
        var counts: [UInt64]
        var sum: Double
    }

    /// Seconds: from what a healthy server needs to what no client waits for.
    static let delays = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

    let bounds: [Double]
    private let stored: Mutex<Contents>

    /// - Parameter bounds: ascending.
    init(bounds: [Double] = HistogramInstrument.delays) {
        self.bounds = bounds
        stored = Mutex(Contents(counts: Array(repeating: 0, count: bounds.count + 1), sum: 0))
    }

    var contents: Contents { stored.withLock(\.self) }

    func record(_ value: Double) {
        guard value.isFinite else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        stored.withLock { contents in
            contents.counts[bucket] += 1
            contents.sum += value
        }
    }

    func record(_ value: Int64) { record(Double(value)) }

    /// Times are told in seconds, as Prometheus wants them.
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
}
