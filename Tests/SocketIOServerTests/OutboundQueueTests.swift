import NIOCore
import Testing
import WireJSON

@testable import SocketIOServer

@Suite("The queue of a connection")
struct OutboundQueueTests {
    private func event(
        _ number: Int64, key: String? = nil, namespace: String = "/", padding: Int = 0
    ) -> OutboundEvent {
        let folding = key.map { OutboundEvent.Folding(key: $0, digest: Trail(numbers: [number])) }
        return OutboundEvent(
            "e", [.integer(number), .string(String(repeating: "p", count: padding))], namespace: namespace,
            number: number, folding: folding)
    }

    private func text(_ text: String) -> ByteBuffer { ByteBuffer(bytes: serverText(text)) }

    /// Everything that is left, in whole frames.
    private func drain(_ queue: inout OutboundQueue, limit: Int = .max) -> [String] {
        var bytes: [UInt8] = []
        while !queue.isEmpty { bytes += write(&queue, limit: limit) }
        return messages(in: bytes)
    }

    /// What one write brings out that takes up to `count` bytes, and the rest of the frame that it began.
    private func write(_ queue: inout OutboundQueue, limit: Int = .max, upTo count: Int = .max) -> [UInt8] {
        var scratch = ByteBuffer()
        var lengths: [Int] = []
        let chunk = queue.chunk(limit: limit, scratch: &scratch, lengths: &lengths) { lost, namespace in
            text("lost \(namespace) \(lost.first)-\(lost.last): \(lost.count)")
        }
        let taken = min(count, chunk.readableBytes)
        let rest = queue.advance(past: taken, of: chunk, lengths: lengths)
        return Array(chunk.readableBytesView.prefix(taken)) + Array(rest?.readableBytesView ?? ByteBufferView())
    }

    // MARK: Writing

    @Test("of a batch that is taken in part, the begun frame leaves whole and the others stay")
    func partOfABatch() {
        let events = (1...3).map { event($0, padding: Int($0) * 90) }
        let sizes = events.map(\.byteCount)
        for taken in 0...sizes.reduce(0, +) {
            var queue = OutboundQueue(highWaterMark: .max)
            queue.append(OutboundBatch(events))
            let left = write(&queue, upTo: taken)
            // At the end of a frame the next one counts as begun: the connection has to have something to wait for.
            let begun = taken < sizes[0] ? 1 : taken < sizes[0] + sizes[1] ? 2 : 3
            #expect(left.count == sizes.prefix(begun).reduce(0, +))
            #expect(queue.eventBytes == sizes.dropFirst(begun).reduce(0, +))
            #expect(queue.isEmpty == (begun == 3))
            #expect(messages(in: left).count == begun)
            #expect(drain(&queue).count == 3 - begun)
            #expect(queue.eventBytes == 0)
        }
    }

    @Test("a packet and its attachments leave together, wherever a write ends")
    func attachmentsStayTogether() {
        let packet = serverText("451-") + frame(2, [1, 2, 3])
        for taken in 0...packet.count {
            var queue = OutboundQueue(highWaterMark: .max)
            queue.append(kept: ByteBuffer(bytes: packet))
            queue.append(OutboundBatch([event(1)]))
            let left = write(&queue, upTo: taken)
            let all = packet + Array(event(1).frame.readableBytesView)
            #expect(left == (taken == packet.count ? all : packet))
            #expect(queue.keptBytes == 0)
            #expect(queue.isEmpty == (taken == packet.count))
        }
    }

    @Test("a chunk holds as many items as the limit allows, and one that is larger alone")
    func chunks() {
        var queue = OutboundQueue(highWaterMark: .max)
        let sizes = [10, 500, 20, 30].map { padding -> Int in
            let batch = OutboundBatch([event(1, padding: padding)])
            queue.append(batch)
            return batch.byteCount
        }
        #expect(write(&queue, limit: 100).count == sizes[0])
        #expect(write(&queue, limit: 100).count == sizes[1])
        #expect(write(&queue, limit: sizes[2] + sizes[3]).count == sizes[2] + sizes[3])
        #expect(queue.isEmpty)
    }

    // MARK: Folding

    @Test("the newest event of a key stands for those before it, in its place, and says for how many")
    func folding() {
        var queue = OutboundQueue(highWaterMark: .max)
        queue.append(OutboundBatch([event(1, key: "a"), event(2, key: "b"), event(3, key: "a")]))
        queue.append(OutboundBatch([event(4), event(5, key: "a")]))
        queue.fold()
        #expect(queue.eventBytes == event(2).byteCount + event(4).byteCount + event(5).byteCount)
        queue.append(OutboundBatch([event(6, key: "a")]))
        queue.fold()
        #expect(
            drain(&queue)
                == [#"42["e",2,"",1,[2],[1,6]]"#, #"42["e",4,""]"#, #"42["e",6,"",4,[1,3,5,6]]"#])
    }

    @Test("an event that is told while older ones wait to be stood for says within which span")
    func span() {
        var queue = OutboundQueue(highWaterMark: .max)
        queue.append(
            OutboundBatch([
                event(1, key: "a"), event(2, key: "b"), event(3, key: "c"), event(4, key: "b"), event(5, key: "d"),
            ]))
        queue.append(OutboundBatch([event(6, key: "e")]))
        queue.fold()
        #expect(
            drain(&queue) == [
                #"42["e",1,""]"#, #"42["e",3,"",1,[3],[2,4]]"#, #"42["e",4,"",2,[2,4]]"#, #"42["e",5,""]"#,
                #"42["e",6,""]"#,
            ])
    }

    @Test("a span of which something has been told stays as it is; one that waits becomes part of the next")
    func begunSpan() {
        func queue() -> OutboundQueue {
            var queue = OutboundQueue(highWaterMark: .max)
            queue.append(OutboundBatch([event(1, key: "a"), event(2, key: "b"), event(3, key: "a")]))
            queue.fold()
            return queue
        }
        var begun = queue()
        #expect(messages(in: write(&begun, limit: 1)) == [#"42["e",2,"",1,[2],[1,3]]"#])
        begun.append(OutboundBatch([event(4, key: "a"), event(5, key: "c"), event(6, key: "a")]))
        begun.fold()
        #expect(
            drain(&begun)
                == [#"42["e",3,"",2,[1,3]]"#, #"42["e",5,"",1,[5],[4,6]]"#, #"42["e",6,"",2,[4,6]]"#])

        var waiting = queue()
        waiting.append(OutboundBatch([event(4, key: "a")]))
        waiting.fold()
        #expect(drain(&waiting) == [#"42["e",2,"",1,[2],[1,4]]"#, #"42["e",4,"",3,[1,3,4]]"#])
    }

    @Test("an event that stands for others is amended from the arguments that it was made with")
    func amendedArguments() throws {
        struct Digest: EventDigest {
            let amended: Shared<[JSON]>
            func followed(by newer: any EventDigest) -> any EventDigest { newer }
            func amend(_ arguments: [JSON], standingFor count: Int, within span: FoldedSpan?) -> [JSON] {
                amended.change { $0 = arguments }
                return arguments + [.integer(Int64(count))]
            }
        }
        // The wire has no infinity: a client is sent null.
        let arguments: [JSON] = [.number(.infinity)]
        let amended = Shared<[JSON]>([])
        var queue = OutboundQueue(highWaterMark: 1)
        queue.append(
            OutboundBatch(
                (1...3).map { number in
                    OutboundEvent(
                        "name", arguments, namespace: "/admin", number: number,
                        folding: .init(key: "k", digest: Digest(amended: amended)))
                }))
        queue.fold()
        #expect(drain(&queue) == [#"42/admin,["name",null,3]"#])
        #expect(amended.value == arguments)
    }

    @Test("folding is void where the client has begun to be told what it was about to change")
    func spanBegunMeanwhile() {
        var queue = OutboundQueue(highWaterMark: .max)
        queue.append(OutboundBatch([event(1, key: "a"), event(2, key: "b"), event(3, key: "c"), event(4, key: "a")]))
        queue.fold()
        queue.append(OutboundBatch([event(5, key: "a")]))
        var folder = OutboundFolder(queue)
        // The newest event, and the last of the span; its first is written then.
        folder.work(on: queue, budget: 4)
        #expect(messages(in: write(&queue, limit: 1)) == [#"42["e",2,"",1,[2],[1,4]]"#])
        #expect(!folder.isValid(for: queue))
    }

    @Test("nothing is folded across what was sent to this socket alone, and a heartbeat is no such thing")
    func barriers() {
        var queue = OutboundQueue(highWaterMark: .max)
        queue.append(OutboundBatch([event(1, key: "a"), event(2, key: "a")]))
        queue.append(kept: text("answer"))
        queue.append(OutboundBatch([event(3, key: "a")]))
        queue.append(kept: text("2"), isBarrier: false)
        queue.append(OutboundBatch([event(4, key: "a")]))
        queue.fold()
        #expect(
            drain(&queue) == [#"42["e",2,"",2,[1,2]]"#, "answer", "2", #"42["e",4,"",2,[3,4]]"#])
    }

    @Test("events of different namespaces are not folded, whatever their keys")
    func foldingByNamespace() {
        var queue = OutboundQueue(highWaterMark: .max)
        queue.append(OutboundBatch([event(1, key: "a")]))
        queue.append(OutboundBatch([event(2, key: "a", namespace: "/b")]))
        queue.fold()
        #expect(drain(&queue) == [#"42["e",1,""]"#, #"42/b,["e",2,""]"#])
    }

    @Test("of a batch that has been told in part only the rest is folded")
    func foldingTheRest() {
        var queue = OutboundQueue(highWaterMark: .max)
        queue.append(OutboundBatch((1...4).map { event($0, key: "a") }))
        #expect(messages(in: write(&queue, upTo: 1)) == [#"42["e",1,""]"#])
        queue.fold()
        #expect(drain(&queue) == [#"42["e",4,"",3,[2,3,4]]"#])
    }

    @Test(
        "folding is tried again when twice as much waits, or more where it was no use; as at first once all is written")
    func threshold() {
        var queue = OutboundQueue(highWaterMark: 100)
        for number: Int64 in 1...10 { queue.append(OutboundBatch([event(number, key: "\(number)", padding: 50)])) }
        let size = queue.eventBytes
        queue.fold()
        #expect(queue.eventBytes == size)
        #expect(queue.foldingThreshold == 2 * size)
        queue.foldingWasNoUse()
        #expect(queue.foldingThreshold == 4 * size)
        _ = drain(&queue)
        #expect(queue.foldingThreshold == 100)
    }

    // MARK: Losing

    @Test("dropped events leave one notice a namespace where the first of them stood; all else stays")
    func dropping() {
        var queue = OutboundQueue(highWaterMark: .max)
        queue.append(kept: text("one"))
        queue.append(OutboundBatch([event(1), event(2, key: "a")]))
        queue.append(kept: text("two"))
        queue.append(OutboundBatch([event(3, namespace: "/b")]))
        queue.append(OutboundBatch([event(4, key: "a")]))
        queue.drop()
        #expect(queue.eventBytes == 0)
        #expect(queue.keptBytes == text("one").readableBytes + text("two").readableBytes)
        queue.append(OutboundBatch([event(5)]))
        queue.append(kept: text("three"))
        queue.drop()
        queue.append(OutboundBatch([event(6)]))
        #expect(
            drain(&queue) == ["one", "lost / 1-5: 4", "two", "lost /b 3-3: 1", "three", #"42["e",6,""]"#])
    }

    @Test("what a dropped event stood for is counted in the notice")
    func droppingFolded() {
        var queue = OutboundQueue(highWaterMark: .max)
        queue.append(OutboundBatch((1...3).map { event($0, key: "a") }))
        queue.fold()
        queue.append(OutboundBatch([event(4)]))
        queue.drop()
        #expect(drain(&queue) == ["lost / 3-4: 4"])
    }

    @Test("what is taken back is the namespace's, begun batches from where they stand; notices stay")
    func discarding() {
        var queue = OutboundQueue(highWaterMark: .max)
        #expect(queue.discard(namespace: "/") == nil)
        queue.append(OutboundBatch([event(1)]))
        queue.drop()
        queue.append(OutboundBatch((2...4).map { event($0) }))
        queue.append(OutboundBatch([event(5, namespace: "/b")]))
        queue.append(kept: text("kept"))
        queue.append(OutboundBatch([event(6, key: "a"), event(7, key: "a")]))
        #expect(queue.discard(namespace: "/c") == nil)
        let notice = text("lost / 1-1: 1").readableBytes
        #expect(messages(in: write(&queue, upTo: notice + 1)) == ["lost / 1-1: 1", #"42["e",2,""]"#])
        queue.fold()
        #expect(queue.discard(namespace: "/") == LostEvents(first: 3, last: 7, count: 4))
        #expect(queue.discard(namespace: "/") == nil)
        #expect(queue.eventBytes == event(5, namespace: "/b").byteCount)
        #expect(drain(&queue) == [#"42/b,["e",5,""]"#, "kept"])
    }

    @Test("a notice that nobody words leaves no trace, and nothing waits for it")
    func silentNotice() {
        var queue = OutboundQueue(highWaterMark: .max)
        queue.append(OutboundBatch([event(1)]))
        queue.drop()
        queue.append(OutboundBatch([event(2, padding: 200)]))
        var scratch = ByteBuffer()
        var lengths: [Int] = []
        var taken: [UInt8] = []
        while !queue.isEmpty {
            let chunk = queue.chunk(limit: 100, scratch: &scratch, lengths: &lengths) { _, _ in ByteBuffer() }
            let rest = queue.advance(past: 0, of: chunk, lengths: lengths)
            taken += rest?.readableBytesView ?? ByteBufferView()
        }
        #expect(messages(in: taken).count == 1)
    }
}

/// Remembers the events that were folded into one, in the order in which they were.
struct Trail: EventDigest {
    var numbers: [Int64]

    func followed(by newer: any EventDigest) -> any EventDigest {
        Trail(numbers: numbers + ((newer as? Trail)?.numbers ?? []))
    }

    func amend(_ arguments: [JSON], standingFor count: Int, within span: FoldedSpan?) -> [JSON] {
        let around = span.map { [JSON.array([.integer($0.first), .integer($0.last)])] } ?? []
        return arguments + [.integer(Int64(count)), .array(numbers.map(JSON.integer))] + around
    }
}
