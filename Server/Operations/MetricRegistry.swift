import CoreMetrics
import Synchronization

/// All that this server counts and measures, by name and labels: what `/metrics` shows, and the factory for the libraries
/// that count by swift-metrics.
///
/// An instrument is made once and kept by who uses it, so that the registry's lock is taken when one is made or all are
/// shown, and never to count. Two who ask for the same name and labels have the same instrument; one whose name stands
/// for another kind already has one that is not shown, since the text format knows one kind for each name.
final class MetricRegistry: MetricsFactory {
    enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
    }

    enum Instrument: Sendable {
        case counter(CounterInstrument)
        case gauge(GaugeInstrument)
        case histogram(HistogramInstrument)
        /// Looked up when it is shown.
        case reading(@Sendable () -> Double)
    }

    typealias Labels = [(name: String, value: String)]

    struct Family: Sendable {
        var kind: Kind
        var help: String
        /// In the order in which they were made.
        var members: [(labels: Labels, instrument: Instrument)] = []
    }

    private let families = Mutex<[String: Family]>([:])
    private let help: [String: String]

    /// - Parameter help: sentences by name, for what others make.
    init(help: [String: String] = [:]) {
        self.help = help
    }

    /// All families by their names, sorted.
    var all: [(name: String, family: Family)] {
        families.withLock { $0.map { (name: $0.key, family: $0.value) } }.sorted { $0.name < $1.name }
    }

    func counter(_ name: String, _ labels: Labels = []) -> CounterInstrument {
        let made = instrument(name, labels, .counter) { .counter(CounterInstrument()) }
        if case .counter(let counter) = made { return counter }
        return CounterInstrument()
    }

    func gauge(_ name: String, _ labels: Labels = []) -> GaugeInstrument {
        let made = instrument(name, labels, .gauge) { .gauge(GaugeInstrument()) }
        if case .gauge(let gauge) = made { return gauge }
        return GaugeInstrument()
    }

    func histogram(_ name: String, _ labels: Labels = []) -> HistogramInstrument {
        let made = instrument(name, labels, .histogram) { .histogram(HistogramInstrument()) }
        if case .histogram(let histogram) = made { return histogram }
        return HistogramInstrument()
    }

    /// A gauge that is read when it is shown.
    func reading(_ name: String, _ value: @escaping @Sendable () -> Double) {
        _ = instrument(name, [], .gauge) { .reading(value) }
    }

    private func instrument(
        _ name: String, _ labels: Labels, _ kind: Kind, _ make: () -> Instrument
    ) -> Instrument? {
        families.withLock { families in
            var family = families[name] ?? Family(kind: kind, help: help[name] ?? "")
            guard family.kind == kind else { return nil }
            let known = family.members.first { member in
                member.labels.count == labels.count
                    && zip(member.labels, labels).allSatisfy { $0.name == $1.name && $0.value == $1.value }
            }
            if let known { return known.instrument }
            let made = make()
            family.members.append((labels: labels, instrument: made))
            families[name] = family
            return made
        }
    }

    // MARK: swift-metrics

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        counter(label, Self.labels(dimensions))
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        gauge(label, Self.labels(dimensions))
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate ? histogram(label, Self.labels(dimensions)) : gauge(label, Self.labels(dimensions))
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, Self.labels(dimensions))
    }

    // What was counted stays: a counter that vanishes and begins anew would look like a restart.
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}

    private static func labels(_ dimensions: [(String, String)]) -> Labels {
        dimensions.map { (name: $0.0, value: $0.1) }
    }
}
