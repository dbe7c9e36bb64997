import Foundation
import NIOCore
import NIOEmbedded
import SocketIO
import Testing
import WireJSON

@testable import SocketIOClient

@Suite("What comes in, taken together")
struct IncomingBatchTests {
    private func event(_ number: Int64) -> SocketIOIncoming {
        .event(name: "n", arguments: [.integer(number)], attachments: [], acknowledge: nil)
    }

    private func sequence(_ queue: SocketIOIncomingQueue) -> SocketIOIncomingSequence {
        SocketIOIncomingSequence(base: SocketIOIncomingElements(queue), namespace: nil)
    }

    @Test("a batch holds all that waits, in order; after the last comes nil")
    func batches() async {
        let queue = SocketIOIncomingQueue(limit: 10, eventLoop: EmbeddedEventLoop())
        var iterator = sequence(queue).makeAsyncIterator()
        for number in 1...4 { #expect(!queue.yield(event(Int64(number)))) }
        #expect(await iterator.next()?.description == "n(1)")
        #expect(await iterator.nextBatch()?.map(\.description) == ["n(2)", "n(3)", "n(4)"])
        _ = queue.yield(event(5))
        queue.finish()
        #expect(!queue.yield(event(6)))
        #expect(await iterator.nextBatch()?.map(\.description) == ["n(5)"])
        #expect(await iterator.nextBatch() == nil)
        #expect(await iterator.next() == nil)
    }

    @Test("a full queue holds its producer until half of it is left, however it is taken")
    func demand() async {
        let loop = EmbeddedEventLoop()
        let queue = SocketIOIncomingQueue(limit: 4, eventLoop: loop)
        var demands = 0
        queue.setDemand { demands += 1 }
        var iterator = sequence(queue).makeAsyncIterator()
        for number in 1...3 { #expect(!queue.yield(event(Int64(number)))) }
        #expect(queue.yield(event(4)))
        #expect(await iterator.next() != nil)
        loop.run()
        #expect(demands == 0)
        #expect(queue.yield(event(5)))
        #expect(await iterator.nextBatch()?.count == 4)
        loop.run()
        #expect(demands == 1)
        #expect(!queue.yield(event(6)))
    }

    @Test("what is read in one turn of the loop wakes a waiting consumer once, with all of it")
    func oneWake() async throws {
        let loop = NIOAsyncTestingEventLoop()
        let queue = SocketIOIncomingQueue(limit: 100, eventLoop: loop)
        let base = SocketIOIncomingElements(queue)
        async let batch: [SocketIOIncoming]? = {
            var iterator = SocketIOIncomingSequence(base: base, namespace: nil).makeAsyncIterator()
            return await iterator.nextBatch()
        }()
        try await eventually("the consumer waits") { queue.isAwaited }
        let events = (1...20).map { event(Int64($0)) }
        try await loop.executeInContext { for event in events { _ = queue.yield(event) } }
        await loop.run()
        #expect(await batch?.count == 20)
        await loop.shutdownGracefully()
    }

    @Test("cancelling the task ends the elements for good, also where some wait, and the producer is let go on")
    func cancelled() async throws {
        let loop = NIOAsyncTestingEventLoop()
        let queue = SocketIOIncomingQueue(limit: 2, eventLoop: loop)
        let base = SocketIOIncomingElements(queue)
        let consumer = Task {
            var iterator = SocketIOIncomingSequence(base: base, namespace: nil).makeAsyncIterator()
            return await iterator.nextBatch() == nil
        }
        try await eventually("the consumer waits") { queue.isAwaited }
        consumer.cancel()
        #expect(await consumer.value)
        try await loop.executeInContext {
            for number in 1...5 { #expect(!queue.yield(self.event(Int64(number)))) }
        }
        await loop.shutdownGracefully()
    }
}
