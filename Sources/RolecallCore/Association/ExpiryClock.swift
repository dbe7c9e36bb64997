import NIOCore
import RolecallProtocol

/// When associations of one event loop's sockets expire. Belongs to that loop.
///
/// An event loop's own timers are looked for one by one when they are cancelled: with thousands of sockets, each change
/// of who they are would cost as many looks. Here timers stand together by the tenth of a second, and the loop has one
/// timer for the next of those. It is the wall's clock that counts, also where that is set, or the machine has slept.
final class ExpiryClock {
    /// Milliseconds: what falls due is due at the end of its tick, so never early.
    private static let tick: Int64 = 100
    /// Milliseconds after which the wall's clock is looked at in any case.
    private static let longestSleep: Int64 = 30_000

    private let eventLoop: any EventLoop
    private var due: [Int64: [ObjectIdentifier: ExpiryTimer]] = [:]
    /// Those that stand in `due`, and some that did; the earliest last.
    private var ticks: [Int64] = []
    private var wake: (tick: Int64, task: Scheduled<Void>)?

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Has ``ExpiryTimer/fire()`` called at this moment.
    ///
    /// - Returns: what ``remove(_:from:)`` takes.
    func add(_ timer: ExpiryTimer, at moment: Timestamp) -> Int64 {
        // Past this no clock ever comes.
        let tick = min(moment.milliseconds, 1 << 53) / Self.tick + 1
        if due[tick]?.updateValue(timer, forKey: ObjectIdentifier(timer)) == nil, due[tick] == nil {
            due[tick] = [ObjectIdentifier(timer): timer]
            insert(tick)
        }
        if wake.map({ tick < $0.tick }) ?? true { sleep() }
        return tick
    }

    func remove(_ timer: ExpiryTimer, from tick: Int64) {
        due[tick]?[ObjectIdentifier(timer)] = nil
        if due[tick]?.isEmpty == true { due[tick] = nil }
    }

    private func insert(_ tick: Int64) {
        var (low, high) = (0, ticks.count)
        while low < high {
            let middle = (low + high) / 2
            if ticks[middle] > tick { low = middle + 1 } else { high = middle }
        }
        if low < ticks.count, ticks[low] == tick { return }
        ticks.insert(tick, at: low)
    }

    private func sleep() {
        wake?.task.cancel()
        wake = nil
        while let last = ticks.last, due[last] == nil { ticks.removeLast() }
        guard let next = ticks.last else { return }
        let left = next.multipliedReportingOverflow(by: Self.tick).partialValue
            .subtractingReportingOverflow(Timestamp.now.milliseconds).partialValue
        let task = eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(min(max(left, 1), Self.longestSleep))) {
            self.look()
        }
        wake = (next, task)
    }

    private func look() {
        wake = nil
        let now = Timestamp.now.milliseconds / Self.tick
        while let last = ticks.last, last <= now {
            ticks.removeLast()
            for timer in (due.removeValue(forKey: last) ?? [:]).values { timer.fire() }
        }
        sleep()
    }
}
