import SocketIO
import Testing

@Suite struct AcknowledgementTableTests {
    @Test("ids count up from zero, and each leads to its waiter once")
    func register() {
        var table = AcknowledgementTable<String>()
        #expect(table.isEmpty)
        #expect(table.register("a") == 0)
        #expect(table.register("b") == 1)
        #expect(table.register("c") == 2)
        #expect(table.count == 3)
        #expect(table.resolve(1) == "b")
        #expect(table.resolve(1) == nil)
        #expect(table.resolve(0) == "a")
        #expect(table.register("d") == 3, "an id is not used again soon")
        #expect(table.count == 2)
    }

    @Test("an id that was never given leads to nobody", arguments: [-1, 1, .max, .min] as [Int64])
    func unknown(id: Int64) {
        var table = AcknowledgementTable<String>()
        #expect(table.register("a") == 0)
        #expect(table.resolve(id) == nil)
        #expect(table.count == 1)
    }

    @Test("all waiters are taken out in the order in which they came")
    func removeAll() {
        var table = AcknowledgementTable<Int>()
        for waiter in 0..<100 {
            #expect(table.register(waiter) == Int64(waiter))
        }
        #expect(table.resolve(50) == 50)
        #expect(table.removeAll() == (0..<100).filter { $0 != 50 })
        #expect(table.isEmpty)
        #expect(table.removeAll() == [])
        #expect(table.register(7) == 100)
    }
}
