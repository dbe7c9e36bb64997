import NIOCore

/// What waits to be written to one connection, in the one order in which its client will read it.
///
/// A reader that keeps up has at most what one turn of the event loop brought it. What waits for a slow one stays
/// bounded: an ``OutboundFolder`` leaves the newest event of each key, and ``drop()`` puts one notice in the place of all
/// events. Neither touches anything else: acknowledgements, events with attachments, and whatever else was sent to this socket
/// alone. An event is never folded across such a thing, either.
///
/// A plain machine: it neither writes nor encodes. Frames leave it as a chunk, which is written as far as it goes, and
/// then ``advance(past:of:lengths:)`` says what is left to do.
struct OutboundQueue {
    enum Item {
        /// The events of a batch from an index on, whose frames begin at an offset.
        case batch(OutboundBatch, from: Int, offset: Int)
        case event(OutboundEvent)
        /// An event that stands for older ones, or among which others do.
        case folded(FoldedEvent)
        /// One or more frames that belong together. Events are not folded across a barrier.
        case kept(ByteBuffer, isBarrier: Bool)
        /// The place of events that are not told.
        case lost(LostEvents, namespace: String)
    }

    final class FoldedEvent {
        let event: OutboundEvent
        /// How many events it stands for, itself included.
        let count: Int
        let digest: any EventDigest
        /// What it is part of; nil for an event that has no number.
        let span: FoldedSpan?

        init(event: OutboundEvent, count: Int, digest: any EventDigest, span: FoldedSpan?) {
            self.event = event
            self.count = count
            self.digest = digest
            self.span = span
        }

        /// Whether events of its span are left when this one has been told.
        private var isWithinSpan: Bool { span.map { event.number < $0.last } ?? false }

        /// The span, while a client that has been told this event still lacks events before it.
        var openSpan: FoldedSpan? { isWithinSpan ? span : nil }

        var frame: ByteBuffer { event.frame(amendedBy: digest, standingFor: count, within: openSpan) }
    }

    // What each delivery touches stands first, and together.
    private(set) var items = ShortQueue<Item>()
    /// The size of the events that wait, in bytes on the wire.
    private(set) var eventBytes = 0
    /// The size of everything else that waits.
    private(set) var keptBytes = 0
    /// How many items have left at the front. An item's number is this and its index: it keeps it while it waits.
    private(set) var removedCount = 0
    /// The number of the last item that was written or begun; it is behind all that can still be folded.
    private(set) var lastTouched = -1
    /// Grows with each of that.
    private(set) var touchCount = 0
    /// Past how many bytes of events folding is worth its while. It grows where folding did not help, so that a
    /// queue of distinct keys is not gone through again and again.
    private(set) var foldingThreshold: Int
    private let highWaterMark: Int
    /// Whether folding left a good deal less, as far as is known.
    private(set) var isFoldingOfUse = true
    /// Grows whenever the queue is changed but by appending, and by writing from its front.
    private(set) var generation = 0
    /// By namespace, the span of which some events have been told and others wait. What it consists of has been said to
    /// the client, so nothing of it is folded any more.
    private(set) var begunSpans: [String: FoldedSpan] = [:]

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
                lastTouched = removedCount
                touchCount += 1
                items[0] = .batch(batch, from: next, offset: offset + end)
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
        lastTouched = removedCount
        touchCount += 1
        removedCount += 1
        switch items.removeFirst() {
        case .batch: eventBytes -= length
        case .event(let event): eventBytes -= event.byteCount
        case .folded(let folded):
            eventBytes -= folded.event.byteCount
            if folded.span != nil { begunSpans[folded.event.namespace] = folded.openSpan }
        case .kept(let frames, _): keptBytes -= frames.readableBytes
        case .lost: break
        }
        if items.isEmpty { forgetFolding() }
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

    /// Puts what a folder has made of the queue in its place. What was appended meanwhile stays behind it.
    ///
    /// - Precondition: the folder has finished with this queue, and nothing was written since.
    mutating func apply(_ folder: OutboundFolder) {
        precondition(folder.isFinished && folder.isValid(for: self), "not folded from this queue")
        let appended = items.dropFirst(folder.end - removedCount)
        let result = folder.result
        var folded = ShortQueue<Item>()
        for item in result { folded.append(item) }
        for item in appended { folded.append(item) }
        items = folded
        eventBytes -= folder.bytesBefore - folder.bytesAfter
        generation += 1
        lastTouched = removedCount - 1
        foldingThreshold = max(highWaterMark, 2 * eventBytes)
        isFoldingOfUse = true
    }

    /// Folding would have left most of the queue: it is tried again when there is a multiple of it.
    mutating func foldingWasNoUse() {
        foldingThreshold = max(highWaterMark, 4 * eventBytes)
        isFoldingOfUse = false
    }

    private mutating func forgetFolding() {
        foldingThreshold = highWaterMark
        isFoldingOfUse = true
    }

    /// Takes all events out, and puts a notice in the place of the first, one for each namespace.
    mutating func drop() {
        var notices: [String: Int] = [:]
        var left = ShortQueue<Item>()
        for item in items {
            guard let (lost, namespace) = Self.events(in: item) else {
                left.append(item)
                continue
            }
            if let place = notices[namespace] {
                guard case .lost(var notice, _) = left[place] else { continue }
                notice.join(lost)
                left[place] = .lost(notice, namespace: namespace)
            } else {
                notices[namespace] = left.count
                left.append(.lost(lost, namespace: namespace))
            }
        }
        items = left
        generation += 1
        lastTouched = removedCount - 1
        eventBytes = 0
        begunSpans = [:]
        forgetFolding()
    }

    /// Takes all events of a namespace out, without a notice.
    ///
    /// - Returns: what was taken; nil for nothing. What earlier notices say is lost is not part of it.
    mutating func discard(namespace: String) -> LostEvents? {
        var all: LostEvents?
        var left = ShortQueue<Item>()
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
        generation += 1
        lastTouched = removedCount - 1
        begunSpans[namespace] = nil
        if items.isEmpty { forgetFolding() }
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
            // The older ones are lost with it. Where they were, others may have been told: the newest says enough, as all
            // of them stand behind what was told before.
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
}
