import NIOCore
import WireJSON

@testable import SocketIOServer

/// Things to send, made once for all histories: making them is what costs.
private enum Pool {
    static let size = 2_000
    static let base = 10_000
    static let namespaces = ["/", "/b"]

    static let events: [OutboundEvent] = {
        var random = Seeded(0)
        return (0..<size).map { index in
            let number = Int64(base + index)
            let padding = [0, 3, 40, 120, 700][random.below(5)]
            // One in eight has nothing to do with the order, and a key that no other has.
            let folding: OutboundEvent.Folding? =
                switch random.below(8) {
                case 0, 1: nil
                case 2: .init(key: "none", digest: Trail(numbers: [number]), order: .outside)
                default: .init(key: "\(random.below(3))", digest: Trail(numbers: [number]))
                }
            return OutboundEvent(
                "e", [.integer(number), .string(String(repeating: "p", count: padding))],
                namespace: namespaces[random.below(3) / 2], number: number, folding: folding)
        }
    }()

    /// `k` and the number, now and then with an attachment behind it.
    static let kept: [ByteBuffer] = {
        var random = Seeded(1)
        return (0..<size).map { index in
            let padding = String(repeating: "q", count: [0, 0, 30, 300][random.below(4)])
            let attachment = random.below(4) == 0 ? frame(2, [UInt8](repeating: 7, count: random.below(50))) : []
            return ByteBuffer(bytes: serverText("k\(base + index)\(padding)") + attachment)
        }
    }()
}

/// One history of a queue, and the account that is kept of it.
struct QueueHistory {
    private enum Fate {
        case waiting
        case told
        case stoodFor
        case dropped
        case discarded
    }

    struct Violated: Error, CustomStringConvertible {
        var description: String
    }

    private var random: Seeded
    private let steps: Int
    private var queue: OutboundQueue
    private var next: Int
    private var scratch = ByteBuffer()
    private var lengths: [Int] = []
    /// What has left, as far as it was not read yet.
    private var wire = ByteBuffer()
    /// The number of what was read last.
    private var lastRead = 0
    private var fates: [Int: Fate] = [:]
    private var keptWaiting: [Int] = []
    private var barriers: [Int] = []
    /// Which namespaces have somebody to word their notices.
    private let worded: [Bool]
    /// Per namespace: events that were dropped, and how many of them notices have told of.
    private var droppedCount = [0, 0]
    private var noticedCount = [0, 0]
    private(set) var coverage = Coverage()
    /// Folding that is under way while other things happen.
    private var folder: OutboundFolder?

    init(seed: UInt64, steps: Int?) {
        random = Seeded(seed)
        let drawn = 2 + random.below(7)
        self.steps = steps ?? drawn
        next = steps == nil ? random.below(Pool.size - 200) : 0
        queue = OutboundQueue(highWaterMark: 100 + random.below(400))
        worded = [random.below(8) > 0, random.below(2) > 0]
    }

    private func require(_ condition: Bool, _ sentence: @autoclosure () -> String) throws {
        if !condition { throw Violated(description: sentence()) }
    }

    mutating func run() throws {
        for _ in 0..<steps {
            switch random.below(12) {
            case 0..<4: appendBatch()
            case 4: appendKept()
            case 5..<9: try write(random.below(5))
            case 9: try fold()
            case 10: if random.below(3) == 0 { try drop() }
            default: if random.below(3) == 0 { try discard() }
            }
            try judgeBytes()
            try foldALittle()
        }
        while !queue.isEmpty { try write(random.below(5)) }
        try judgeBytes()
        try judgeEnd()
    }

    // MARK: What happens

    private mutating func appendBatch() {
        let namespace = Pool.namespaces[random.below(3) / 2]
        var events: [OutboundEvent] = []
        let wanted = [1, 1, 2, 3, 6][random.below(5)]
        while events.count < wanted, next < Pool.size {
            let event = Pool.events[next]
            if event.namespace == namespace {
                events.append(event)
                fates[next] = .waiting
            }
            next += 1
        }
        if !events.isEmpty { queue.append(OutboundBatch(events)) }
    }

    private mutating func appendKept() {
        guard next < Pool.size else { return }
        let isBarrier = random.below(3) > 0
        queue.append(kept: Pool.kept[next], isBarrier: isBarrier)
        keptWaiting.append(next)
        if isBarrier { barriers.append(next) }
        next += 1
    }

    private mutating func write(_ kind: Int) throws {
        guard !queue.isEmpty else { return }
        let limit = [1, 80, 300, 1_000, .max][random.below(5)]
        let worded = worded
        let chunk = queue.chunk(limit: limit, scratch: &scratch, lengths: &lengths) { lost, namespace in
            let place = namespace == "/" ? 0 : 1
            return worded[place]
                ? ByteBuffer(bytes: serverText("l\(place) \(lost.first) \(lost.last) \(lost.count)")) : ByteBuffer()
        }
        let size = chunk.readableBytes
        try require(lengths.reduce(0, +) == size, "lengths \(lengths) of a chunk of \(size)")
        try require(lengths.count == 1 || size <= limit, "a chunk of \(size) past \(limit)")
        let taken: Int
        switch kind {
        case 0: taken = 0
        case 1: taken = size
        case 2: taken = lengths.prefix(random.below(lengths.count + 1)).reduce(0, +)
        default: taken = size == 0 ? 0 : random.below(size)
        }
        let itemsBefore = queue.items.count
        wire.writeImmutableBuffer(chunk.getSlice(at: chunk.readerIndex, length: taken) ?? ByteBuffer())
        let rest = queue.advance(past: taken, of: chunk, lengths: lengths)
        if let rest {
            try require(rest.readableBytes > 0, "an empty rest")
            wire.writeImmutableBuffer(rest)
        } else {
            try require(taken == size, "nothing is finished after \(taken) of \(size)")
        }
        let lastStart = try read()
        if let rest {
            // What had not begun can still be taken back: no more leaves than what had to.
            try require(wire.readerIndex - rest.readableBytes >= lastStart, "more than one rest was given away")
            if wire.readerIndex - rest.readableBytes == lastStart {
                if taken == 0 { coverage.nothingTaken += 1 } else { coverage.atBoundary += 1 }
            } else {
                coverage.midFrame += 1
            }
            if queue.items.count == itemsBefore { coverage.splitBatches += 1 }
        }
        wire.clear()
    }

    /// Begins to fold, or goes on with it.
    private mutating func foldALittle() throws {
        guard var folder else {
            if random.below(2) == 0 { folder = OutboundFolder(queue) }
            return
        }
        guard folder.isValid(for: queue) else {
            self.folder = nil
            coverage.foldedInVain += 1
            return
        }
        folder.work(on: queue, budget: 1 + random.below(8))
        self.folder = folder.isFinished ? nil : folder
        guard folder.isFinished else { return }
        let end = folder.end - queue.removedCount
        try fold(upTo: end) { $0.apply(folder) }
        if end > 1 { coverage.foldedInSlices += 1 }
    }

    private mutating func fold() throws {
        try fold(upTo: queue.items.count) { $0.fold() }
    }

    /// - Parameter end: how many of the items there are now are folded.
    private mutating func fold(upTo end: Int, _ apply: (inout OutboundQueue) -> Void) throws {
        let before = numbersByPlace()
        let behind = queue.items.count - end
        apply(&queue)
        let after = numbersByPlace()
        try require(before.joined().sorted() == after.joined().sorted(), "folding lost or doubled an event")
        var seen: Set<String> = []
        for item in queue.items.dropLast(behind) {
            switch item {
            case .batch: throw Violated(description: "a batch is left after folding")
            case .kept(_, let isBarrier): if isBarrier { seen = [] }
            case .lost: seen = []
            case .event(let event): try judge(event, &seen)
            case .folded(let folded):
                // A span that the client has been told a part of is left as it was.
                if let span = folded.span, queue.begunSpans[folded.event.namespace] == span { continue }
                try judge(folded.event, &seen)
            }
        }
    }

    private func judge(_ event: OutboundEvent, _ seen: inout Set<String>) throws {
        guard let key = event.folding?.key else { return }
        try require(seen.insert("\(event.namespace) \(key)").inserted, "\(event.number) could have been folded")
    }

    private mutating func drop() throws {
        for item in queue.items {
            guard let (namespace, numbers) = Self.events(in: item) else { continue }
            for number in numbers { try settle(number, as: .dropped) }
            droppedCount[namespace == "/" ? 0 : 1] += numbers.count
            coverage.dropped += numbers.count
        }
        queue.drop()
        try require(numbersByPlace().isEmpty, "events are left after dropping")
    }

    private mutating func discard() throws {
        let namespace = Pool.namespaces[random.below(2)]
        var numbers: [Int] = []
        var places: [Int] = []
        for item in queue.items {
            guard let (other, all) = Self.events(in: item), other == namespace else { continue }
            numbers += all
            if case .folded(let folded) = item {
                places.append(Int(folded.event.number) - Pool.base)
            } else {
                places += all
            }
        }
        for number in numbers { try settle(number, as: .discarded) }
        coverage.discarded += numbers.count
        let lost = queue.discard(namespace: namespace)
        let expected =
            places.isEmpty
            ? nil
            : LostEvents(
                first: Int64(Pool.base + places[0]), last: Int64(Pool.base + places[places.count - 1]),
                count: numbers.count)
        try require(lost == expected, "took back \(String(describing: lost)), not \(String(describing: expected))")
    }

    // MARK: What is seen

    /// The events in an item, older ones first.
    private static func events(in item: OutboundQueue.Item) -> (namespace: String, numbers: [Int])? {
        switch item {
        case .batch(let batch, let from, _):
            (batch.namespace, batch.events[from...].map { Int($0.number) - Pool.base })
        case .event(let event): (event.namespace, [Int(event.number) - Pool.base])
        case .folded(let folded):
            (folded.event.namespace, ((folded.digest as? Trail)?.numbers ?? []).map { Int($0) - Pool.base })
        case .kept, .lost: nil
        }
    }

    private func numbersByPlace() -> [[Int]] {
        queue.items.compactMap { Self.events(in: $0)?.numbers }
    }

    private mutating func settle(_ number: Int, as fate: Fate) throws {
        guard fates.updateValue(fate, forKey: number) == .waiting else {
            throw Violated(description: "\(number) is \(fate) and was something else before")
        }
    }

    /// The sizes are those of what is there.
    private func judgeBytes() throws {
        var eventBytes = 0
        var keptBytes = 0
        for item in queue.items {
            switch item {
            case .batch(let batch, let from, let offset):
                var before = 0
                for (index, event) in batch.events.enumerated() {
                    if index < from { before += event.byteCount } else { eventBytes += event.byteCount }
                }
                try require(offset == before, "an offset of \(offset) where \(before) bytes are in front")
            case .event(let event): eventBytes += event.byteCount
            case .folded(let folded): eventBytes += folded.event.byteCount
            case .kept(let frames, _): keptBytes += frames.readableBytes
            case .lost: break
            }
        }
        try require(queue.eventBytes == eventBytes, "\(queue.eventBytes) bytes of events, really \(eventBytes)")
        try require(queue.keptBytes == keptBytes, "\(queue.keptBytes) bytes are kept, really \(keptBytes)")
    }

    private func judgeEnd() throws {
        try require(queue.eventBytes == 0 && queue.keptBytes == 0, "bytes are left in an empty queue")
        try require(keptWaiting.isEmpty, "\(keptWaiting) never came")
        if let lost = fates.first(where: { $0.value == .waiting }) {
            throw Violated(description: "nobody knows what became of \(lost.key)")
        }
        for place in 0..<2 where worded[place] {
            try require(
                droppedCount[place] == noticedCount[place],
                "\(droppedCount[place]) were dropped, and notices speak of \(noticedCount[place])")
        }
    }

    // MARK: What left

    /// Reads what has left, which must be whole frames.
    ///
    /// - Returns: where the last thing in it began.
    private mutating func read() throws -> Int {
        var start = wire.readerIndex
        while wire.readableBytes > 0 {
            start = wire.readerIndex
            let second: UInt8 = wire.getInteger(at: start + 1) ?? 0
            let header = second == 126 ? 4 : 2
            let size = second == 126 ? Int(wire.getInteger(at: start + 2, as: UInt16.self) ?? 0) : Int(second)
            guard wire.getInteger(at: start) == UInt8(0x81), second <= 126, wire.readableBytes >= header + size else {
                throw Violated(description: "no whole frame is where one should begin")
            }
            let payload = start + header
            switch wire.getInteger(at: payload, as: UInt8.self) {
            case UInt8(ascii: "k"): try readKept(at: start, number: digits(at: payload + 1))
            case UInt8(ascii: "l"): try readNotice(at: payload, size)
            default:
                let isOther = wire.getInteger(at: payload + 2) == UInt8(ascii: "/")
                try readEvent(at: start, header + size, number: digits(at: payload + (isOther ? 10 : 7)))
            }
        }
        return start
    }

    /// The five digits of a number.
    private func digits(at index: Int) -> Int {
        var value = 0
        for offset in 0..<5 { value = value * 10 + Int(wire.getInteger(at: index + offset, as: UInt8.self) ?? 0) - 48 }
        return value - Pool.base
    }

    private mutating func advance(to number: Int) throws {
        try require(number + 1 > lastRead, "\(number) comes behind \(lastRead - 1)")
        lastRead = number + 1
    }

    private mutating func readKept(at start: Int, number: Int) throws {
        try require(keptWaiting.first == number, "\(number) came in place of \(keptWaiting)")
        keptWaiting.removeFirst()
        try advance(to: number)
        let whole = Pool.kept[number]
        try require(wire.readSlice(length: whole.readableBytes) == whole, "\(number) did not come as it was sent")
    }

    private mutating func readEvent(at start: Int, _ size: Int, number: Int) throws {
        guard Pool.events.indices.contains(number), let told = wire.readSlice(length: size) else {
            throw Violated(description: "there is no event \(number)")
        }
        try advance(to: number)
        try settle(number, as: .told)
        coverage.told += 1
        let event = Pool.events[number]
        guard told != event.frame else {
            // Of an event that can't be folded nothing can be said that it did not have from the start.
            if event.folding?.order == .member { try judgePosition(number, of: event.namespace, within: nil) }
            return
        }
        // It stands for others, or others do around it.
        let text = messages(in: told.readableBytesView).first?.utf8.drop { $0 != UInt8(ascii: "[") } ?? ""[...].utf8
        let content = try JSON(parsing: Array(text)).arrayValue ?? []
        func numbers(_ place: Int) -> [Int] {
            guard content.indices.contains(place) else { return [] }
            return (content[place].arrayValue ?? []).compactMap { $0.integerValue.map { Int($0) - Pool.base } }
        }
        let (numbers, span) = (numbers(4), numbers(5))
        try require(
            content.count == (span.isEmpty ? 5 : 6) && content[3] == .integer(Int64(numbers.count))
                && (numbers.count > 1 || span.count == 2),
            "\(number) says that it stands for \(content.dropFirst(3))")
        try require(numbers.last == number, "\(number) is not the newest of \(numbers)")
        try require(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 }, "\(numbers) were not folded in order")
        for older in numbers.dropLast() {
            try settle(older, as: .stoodFor)
            let other = Pool.events[older]
            try require(
                other.namespace == event.namespace && other.folding?.key == event.folding?.key,
                "\(number) stands for \(older), which is of another key")
        }
        coverage.stoodFor += numbers.count - 1
        if let barrier = barriers.first(where: { $0 > numbers[0] && $0 < number }) {
            throw Violated(description: "\(numbers) were folded across \(barrier)")
        }
        guard event.folding?.order == .member else {
            return try require(span.isEmpty, "\(number) is of no order, and says that it is within \(span)")
        }
        try judgePosition(number, of: event.namespace, within: span.isEmpty ? nil : span[0]...span[1])
    }

    /// A client that reads on no more after this event knows by its number and span what it lacks of all before it.
    private mutating func judgePosition(
        _ number: Int, of namespace: String, within span: ClosedRange<Int>?
    ) throws {
        let newest = span.map { span in
            span.reduce(into: [String: Int]()) { newest, number in
                let event = Pool.events[number]
                guard event.namespace == namespace, let key = event.folding?.key, event.folding?.order == .member,
                    fates[number] != nil
                else { return }
                newest[key] = number
            }
        }
        if span != nil { coverage.toldWithinSpan += 1 }
        for earlier in max(0, min(span?.lowerBound ?? number, number) - 200)..<number {
            let event = Pool.events[earlier]
            guard event.namespace == namespace, let fate = fates[earlier], fate != .dropped, fate != .discarded,
                event.folding.map({ $0.order == .member }) ?? true
            else { continue }
            var isTold = true
            if let span, span.contains(earlier), let key = event.folding?.key, let newest = newest?[key] {
                isTold = newest <= number
            }
            try require(
                isTold == (fate != .waiting),
                "at \(number), within \(String(describing: span)), \(earlier) is \(fate)")
        }
    }

    private mutating func readNotice(at payload: Int, _ size: Int) throws {
        let words = (wire.getString(at: payload + 1, length: size - 1) ?? "").split(separator: " ").compactMap {
            Int($0)
        }
        wire.moveReaderIndex(to: payload + size)
        guard words.count == 4 else { throw Violated(description: "a notice of \(words)") }
        let (first, last) = (words[1] - Pool.base, words[2] - Pool.base)
        // In the place of the first that it speaks of.
        try advance(to: first)
        noticedCount[words[0]] += words[3]
        let namespace = Pool.namespaces[words[0]]
        try require(
            first <= last && fates[first] == .dropped && fates[last] == .dropped, "a notice of \(first) to \(last)")
        for number in first...last where Pool.events[number].namespace == namespace {
            if let fate = fates[number], fate == .told || fate == .waiting {
                throw Violated(description: "a notice covers \(number), which is \(fate)")
            }
        }
    }
}
