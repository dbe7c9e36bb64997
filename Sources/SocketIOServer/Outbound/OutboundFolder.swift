import NIOCore

/// Folds a queue: of the events with the same key the newest is left, in its place, to stand for the older ones.
///
/// It goes through the queue from its end, as far at once as its budget allows, so that folding a long queue holds up
/// nobody else on the event loop. What is appended to the queue meanwhile is left alone, and what is written from its
/// front never comes into it; but when writing has come as far as folding, the work is void.
struct OutboundFolder {
    typealias Item = OutboundQueue.Item

    /// The number of the item behind the last that it folds.
    let end: Int
    private let generation: Int
    /// What is left of them, the last first.
    private var kept: [Slot] = []
    private(set) var bytesBefore = 0
    private(set) var bytesAfter = 0
    /// The number of the first item that has been looked at, or begun.
    private var first: Int
    /// Of the queue when it was last looked at.
    private var touchCount = 0
    private(set) var isFinished = false
    /// Of the batch that was begun, the events that have not been looked at.
    private var begun: (batch: OutboundBatch, events: Range<Int>)?
    private var places: [String: Int] = [:]
    /// The spans that this pass makes of what it has looked at since the last barrier, by namespace.
    private var bounds: [String: FoldedSpanBounds] = [:]
    /// The spans of earlier passes that become part of these.
    private var joined: Set<FoldedSpan> = []

    init(_ queue: OutboundQueue) {
        end = queue.removedCount + queue.items.count
        first = end
        generation = queue.generation
    }

    /// Whether the work so far is good for the queue as it is now.
    func isValid(for queue: OutboundQueue) -> Bool {
        // What was begun before it was looked at was looked at as it is.
        guard generation == queue.generation, first > queue.lastTouched || touchCount == queue.touchCount else {
            return false
        }
        // Nor has a client been told of a span what this would change.
        return joined.isEmpty || queue.begunSpans.values.allSatisfy { !joined.contains($0) }
    }

    /// Whether it saves enough to be worth what it costs: each event on its own takes more memory than in a batch that
    /// is shared with others.
    var isWorthwhile: Bool { bytesAfter < bytesBefore / 4 * 3 }

    /// Goes on.
    ///
    /// - Parameters:
    ///   - queue: the one that this is valid for.
    ///   - budget: how many events to look at, at most.
    mutating func work(on queue: OutboundQueue, budget: Int) {
        var left = budget
        touchCount = queue.touchCount
        while left > 0 {
            if let (batch, events) = begun {
                let count = min(left, events.count)
                for event in batch.events[events].suffix(count).reversed() { add(event) }
                left -= count
                begun = count < events.count ? (batch, events.dropLast(count)) : nil
            } else if first > queue.removedCount {
                first -= 1
                left -= 1
                begin(
                    queue.items[first - queue.removedCount],
                    begunSpans: queue.begunSpans)
            } else {
                isFinished = true
                return
            }
        }
    }

    private mutating func begin(_ item: Item, begunSpans: [String: FoldedSpan]) {
        switch item {
        case .batch(let batch, let from, _):
            begun = (batch, from..<batch.events.count)
        case .event(let event):
            add(event)
        case .folded(let folded):
            if let span = folded.span, begunSpans[folded.event.namespace] == span {
                bytesBefore += folded.event.byteCount
                bytesAfter += folded.event.byteCount
                kept.append(Slot(item: item))
            } else {
                add(folded.event, count: folded.count, digest: folded.digest, span: folded.span)
            }
        case .kept(_, let isBarrier):
            if isBarrier { endSpans() }
            kept.append(Slot(item: item))
        case .lost:
            endSpans()
            kept.append(Slot(item: item))
        }
    }

    /// No event is folded across this place.
    private mutating func endSpans() {
        places.removeAll(keepingCapacity: true)
        bounds.removeAll(keepingCapacity: true)
    }

    private mutating func add(_ event: OutboundEvent) {
        add(event, count: 1, digest: event.folding?.digest, span: nil)
    }

    private mutating func add(_ event: OutboundEvent, count: Int, digest: (any EventDigest)?, span: FoldedSpan?) {
        bytesBefore += event.byteCount
        let order = event.folding?.order ?? .outside
        let bounds = order == .outside ? nil : bounds(for: event.namespace)
        if let span {
            bounds?.join(span)
            joined.insert(span)
        }
        if let key = event.foldingKey, let digest {
            let place = places[key, default: kept.count]
            if place < kept.count, let newer = kept[place].digest, let standsIn = kept[place].event {
                kept[place].count += count
                kept[place].digest = digest.followed(by: newer)
                if order == .member { bounds?.leaveOut(event.number, for: standsIn.number) }
                return
            }
            places[key] = kept.count
        }
        bytesAfter += event.byteCount
        kept.append(Slot(item: .event(event), event: event, count: count, digest: digest, bounds: bounds))
    }

    private mutating func bounds(for namespace: String) -> FoldedSpanBounds {
        if let known = bounds[namespace] { return known }
        let new = FoldedSpanBounds()
        bounds[namespace] = new
        return new
    }

    /// One thing that is left.
    private struct Slot {
        var item: Item
        var event: OutboundEvent?
        var count = 1
        var digest: (any EventDigest)?
        var bounds: FoldedSpanBounds?

        var result: Item {
            guard let event, let digest else { return item }
            let span = bounds?.span(around: event.number)
            guard count > 1 || span != nil else { return item }
            return .folded(.init(event: event, count: count, digest: digest, span: span))
        }
    }

    /// What is left, the first first.
    var result: some Collection<Item> { kept.reversed().lazy.map(\.result) }
}
