import NIOCore

/// What waits to be written to one connection, in the one order in which its client will read it.
///
/// A reader that keeps up has at most what one turn of the event loop brought it. What waits for a slow one stays
/// bounded: ``fold()`` leaves the newest event of each key, and ``drop()`` puts one notice in the place of all events.
/// Neither touches anything else: acknowledgements, events with attachments, and whatever else was sent to this socket
/// alone. An event is never folded across such a thing, either.
///
/// A plain machine: it neither writes nor encodes. Frames leave it as a chunk, which is written as far as it goes, and
/// then ``advance(past:of:lengths:)`` says what is left to do.
struct OutboundQueue {
    enum Item {
        /// The events of a batch from an index on, whose frames begin at an offset.
        case batch(OutboundBatch, from: Int, offset: Int)
        case event(OutboundEvent)
        /// An event that stands for older ones.
        case folded(FoldedEvent)
        /// One or more frames that belong together. Events are not folded across a barrier.
        case kept(ByteBuffer, isBarrier: Bool)
        /// The place of events that are not told.
        case lost(LostEvents, namespace: String)
    }

    final class FoldedEvent {
        let event: OutboundEvent
        let count: Int
        let digest: any EventDigest

        init(event: OutboundEvent, count: Int, digest: any EventDigest) {
            self.event = event
            self.count = count
            self.digest = digest
        }

        var frame: ByteBuffer { event.frame(amendedBy: digest, standingFor: count) }
    }

    private(set) var items = CircularBuffer<Item>(initialCapacity: 1)
    /// The size of the events that wait, in bytes on the wire.
    private(set) var eventBytes = 0
    /// The size of everything else that waits.
    private(set) var keptBytes = 0
    /// Past how many bytes of events folding is worth its while. It grows where folding did not help, so that a
    /// queue of distinct keys is not gone through again and again.
    private(set) var foldingThreshold: Int
    private let highWaterMark: Int

    /// - Parameter highWaterMark: how many bytes of events may wait before they are folded.
    init(highWaterMark: Int) {
        self.highWaterMark = highWaterMark
        foldingThreshold = highWaterMark
    }

    var isEmpty: Bool { items.isEmpty }

    /// - Parameter batch: not empty.
    mutating func append(_ batch: OutboundBatch) {
        items.append(.batch(batch, from: 0, offset: 0))
        eventBytes += batch.byteCount
    }

    mutating func append(kept frames: ByteBuffer, isBarrier: Bool = true) {
        items.append(.kept(frames, isBarrier: isBarrier))
        keptBytes += frames.readableBytes
    }

    // MARK: Writing

    /// Whole frames from the front, to be written.
    ///
    /// - Parameters:
    ///   - limit: about how many bytes; a single item can have more.
    ///   - scratch: where frames are joined if there are several items; one alone is not copied.
    ///   - lengths: becomes the size of each item in the chunk.
    ///   - encodeLost: the frame of a notice; empty for none.
    func chunk(
        limit: Int, scratch: inout ByteBuffer, lengths: inout [Int], encodeLost: (LostEvents, String) -> ByteBuffer
    ) -> ByteBuffer {
        lengths.removeAll(keepingCapacity: true)
        guard let first = items.first else { return ByteBuffer() }
        let frames = Self.frames(of: first, encodeLost)
        lengths.append(frames.readableBytes)
        if items.count == 1 || frames.readableBytes >= limit { return frames }
        scratch.clear()
        scratch.writeImmutableBuffer(frames)
        for item in items.dropFirst() {
            let frames = Self.frames(of: item, encodeLost)
            guard scratch.readableBytes + frames.readableBytes <= limit else { break }
            lengths.append(frames.readableBytes)
            scratch.writeImmutableBuffer(frames)
        }
        return scratch
    }

    /// Some of a chunk was written.
    ///
    /// - Returns: where that was not all of it, the rest of the frame up to which it was written, or all of the next
    ///   frame if it ended between two. This frame is not in the queue any more, and has to be written first.
    mutating func advance(past written: Int, of chunk: ByteBuffer, lengths: [Int]) -> ByteBuffer? {
        var remaining = written
        var index = 0
        while index < lengths.count, remaining >= lengths[index] {
            remove(first: lengths[index])
            remaining -= lengths[index]
            index += 1
        }
        guard index < lengths.count, let item = items.first else { return nil }
        let frameEnd: Int
        if case .batch(let batch, let from, let offset) = item {
            var end = 0
            var next = from
            while next < batch.events.count, end <= remaining {
                end += batch.events[next].byteCount
                next += 1
            }
            frameEnd = end
            if next < batch.events.count {
                items[items.startIndex] = .batch(batch, from: next, offset: offset + end)
                eventBytes -= end
            } else {
                remove(first: lengths[index])
            }
        } else {
            frameEnd = lengths[index]
            remove(first: lengths[index])
        }
        return chunk.getSlice(at: chunk.readerIndex + written, length: frameEnd - remaining)
    }

    private mutating func remove(first length: Int) {
        switch items.removeFirst() {
        case .batch: eventBytes -= length
        case .event(let event): eventBytes -= event.byteCount
        case .folded(let folded): eventBytes -= folded.event.byteCount
        case .kept(let frames, _): keptBytes -= frames.readableBytes
        case .lost: break
        }
        if items.isEmpty { foldingThreshold = highWaterMark }
    }

    private static func frames(of item: Item, _ encodeLost: (LostEvents, String) -> ByteBuffer) -> ByteBuffer {
        switch item {
        case .batch(let batch, from: 0, _): batch.frames
        case .batch(let batch, _, let offset):
            batch.frames.getSlice(
                at: batch.frames.readerIndex + offset, length: batch.frames.readableBytes - offset) ?? ByteBuffer()
        case .event(let event): event.frame
        case .folded(let folded): folded.frame
        case .kept(let frames, _): frames
        case .lost(let lost, let namespace): encodeLost(lost, namespace)
        }
    }

    // MARK: Bounds

    /// Leaves the newest event of each key, in its place, to stand for the older ones.
    ///
    /// - Returns: how many events were looked at: what it cost.
    @discardableResult
    mutating func fold() -> Int {
        var folder = Folder()
        for item in items.reversed() { folder.add(item) }
        items = CircularBuffer(initialCapacity: folder.kept.count)
        eventBytes = folder.eventBytes
        items.append(contentsOf: folder.kept.reversed())
        foldingThreshold = max(highWaterMark, 2 * eventBytes)
        return folder.cost
    }

    /// Takes all events out, and puts a notice in the place of the first, one for each namespace.
    mutating func drop() {
        var notices: [String: Int] = [:]
        var left = CircularBuffer<Item>(initialCapacity: 4)
        for item in items {
            guard let (lost, namespace) = Self.events(in: item) else {
                left.append(item)
                continue
            }
            if let place = notices[namespace] {
                let index = left.index(left.startIndex, offsetBy: place)
                guard case .lost(var notice, _) = left[index] else { continue }
                notice.join(lost)
                left[index] = .lost(notice, namespace: namespace)
            } else {
                notices[namespace] = left.count
                left.append(.lost(lost, namespace: namespace))
            }
        }
        items = left
        eventBytes = 0
        foldingThreshold = highWaterMark
    }

    /// Takes all events of a namespace out, without a notice.
    ///
    /// - Returns: what was taken; nil for nothing. What earlier notices say is lost is not part of it.
    mutating func discard(namespace: String) -> LostEvents? {
        var all: LostEvents?
        var left = CircularBuffer<Item>(initialCapacity: 1)
        for item in items {
            if case .lost = item {
                left.append(item)
            } else if let (lost, other) = Self.events(in: item), other == namespace {
                if all == nil { all = lost } else { all?.join(lost) }
                eventBytes -= Self.byteCount(of: item)
            } else {
                left.append(item)
            }
        }
        items = left
        if items.isEmpty { foldingThreshold = highWaterMark }
        return all
    }

    private static func events(in item: Item) -> (LostEvents, namespace: String)? {
        switch item {
        case .batch(let batch, let from, _):
            let (first, last) = (batch.events[from].number, batch.events[batch.events.count - 1].number)
            return (LostEvents(first: first, last: last, count: batch.events.count - from), batch.namespace)
        case .event(let event):
            return (LostEvents(first: event.number, last: event.number, count: 1), event.namespace)
        case .folded(let folded):
            // The older ones are lost with it, but their numbers are not known any more: the newest says enough, as
            // all of them stand behind what was told before.
            let number = folded.event.number
            return (LostEvents(first: number, last: number, count: folded.count), folded.event.namespace)
        case .lost(let lost, let namespace):
            return (lost, namespace)
        case .kept:
            return nil
        }
    }

    private static func byteCount(of item: Item) -> Int {
        switch item {
        case .batch(let batch, _, let offset): batch.byteCount - offset
        case .event(let event): event.byteCount
        case .folded(let folded): folded.event.byteCount
        case .kept(let frames, _): frames.readableBytes
        case .lost: 0
        }
    }

    /// Goes through a queue from its end.
    private struct Folder {
        /// What is left, the last first.
        var kept: [Item] = []
        var eventBytes = 0
        var cost = 0
        private var places: [Key: Int] = [:]

        private struct Key: Hashable {
            var namespace: String
            var key: String
        }

        mutating func add(_ item: Item) {
            switch item {
            case .batch(let batch, let from, _):
                for event in batch.events[from...].reversed() { add(event, count: 1, digest: event.folding?.digest) }
            case .event(let event): add(event, count: 1, digest: event.folding?.digest)
            case .folded(let folded): add(folded.event, count: folded.count, digest: folded.digest)
            case .kept(_, let isBarrier):
                if isBarrier { places.removeAll(keepingCapacity: true) }
                kept.append(item)
            case .lost:
                places.removeAll(keepingCapacity: true)
                kept.append(item)
            }
        }

        private mutating func add(_ event: OutboundEvent, count: Int, digest: (any EventDigest)?) {
            cost += 1
            guard let folding = event.folding, let digest else { return keep(event, count: count, digest: digest) }
            let key = Key(namespace: event.namespace, key: folding.key)
            guard let place = places[key] else {
                places[key] = kept.count
                return keep(event, count: count, digest: digest)
            }
            switch kept[place] {
            case .event(let newer):
                guard let newest = newer.folding?.digest else { return }
                kept[place] = .folded(
                    FoldedEvent(event: newer, count: count + 1, digest: digest.followed(by: newest)))
            case .folded(let newer):
                kept[place] = .folded(
                    FoldedEvent(
                        event: newer.event, count: count + newer.count, digest: digest.followed(by: newer.digest)))
            case .batch, .kept, .lost: break
            }
        }

        private mutating func keep(_ event: OutboundEvent, count: Int, digest: (any EventDigest)?) {
            eventBytes += event.byteCount
            if count > 1, let digest {
                kept.append(.folded(FoldedEvent(event: event, count: count, digest: digest)))
            } else {
                kept.append(.event(event))
            }
        }
    }
}
