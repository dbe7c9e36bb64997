import NIOCore
import Testing

@testable import SocketIOServer

@Suite("The short queue")
struct ShortQueueTests {
    @Test("is a queue: any sequence of operations gives what an array gives", arguments: 0..<200)
    func againstAnArray(seed: Int) {
        var random = Seeded(UInt64(seed))
        var queue = ShortQueue<Int>()
        var model: [Int] = []
        for step in 0..<400 {
            // Runs of appending and of removing, so that it grows beyond what it keeps storage for, and empties.
            let appends = (step / 40 + seed).isMultiple(of: 2) ? 4 : 2
            switch Int.random(in: 0..<6, using: &random) {
            case ..<appends:
                queue.append(step)
                model.append(step)
            case 5 where !model.isEmpty:
                let place = Int.random(in: model.indices, using: &random)
                queue[place] = -step
                model[place] = -step
            default:
                if !model.isEmpty { #expect(queue.removeFirst() == model.removeFirst()) }
            }
            #expect(queue.elementsEqual(model))
            #expect(queue.count == model.count)
            #expect(queue.isEmpty == model.isEmpty)
            #expect(queue.first == model.first)
            #expect(queue.dropFirst().elementsEqual(model.dropFirst()))
        }
    }

    @Test("lets go of what it held")
    func release() {
        final class Held {}
        var queue = ShortQueue<Held>()
        weak var first: Held?
        weak var last: Held?
        do {
            let (a, b) = (Held(), Held())
            (first, last) = (a, b)
            queue.append(a)
            for _ in 0..<100 { queue.append(Held()) }
            queue.append(b)
        }
        _ = queue.removeFirst()
        #expect(first == nil)
        #expect(last != nil)
        while !queue.isEmpty { _ = queue.removeFirst() }
        #expect(last == nil)
    }
}
