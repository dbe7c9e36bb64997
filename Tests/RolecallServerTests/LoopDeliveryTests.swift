import ModelStore
import NIOCore
import NIOPosix
import RolecallProtocol
import SocketIOClient
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

@Suite("Event loops that the log's reader passes by")
struct LoopDeliveryTests {
    private func delivery() -> LoopDelivery {
        LoopDelivery(watermark: 10, identities: 10, eventLoop: MultiThreadedEventLoopGroup.singleton.any())
    }

    private let audience = ReceiverClass(Policy(roles: ["user"], models: [:]).view(role: nil, user: nil))

    @Test("one on which nothing waits is moved on from outside, and never back")
    func passes() {
        let delivery = delivery()
        #expect(delivery.skip(to: 12, identities: 13, since: delivery.arrivals))
        #expect(delivery.watermark == 12)
        #expect(delivery.skip(to: 11, identities: 11, since: delivery.arrivals))
        #expect(delivery.watermark == 12)
        var held = false
        delivery.whenIdentitiesHold(13) { held = true }
        #expect(held)
    }

    @Test("one on which an audience has arrived since the reader looked does it by itself")
    func arrivals() {
        let delivery = delivery()
        let seen = delivery.arrivals
        delivery.entered(audience)
        #expect(!delivery.skip(to: 11, identities: 11, since: seen))
        #expect(delivery.watermark == 10)
        // The census has the audience by now; another of its sockets is nothing new, nor is it that one leaves.
        let again = delivery.arrivals
        delivery.entered(audience)
        delivery.left(audience)
        #expect(delivery.skip(to: 11, identities: 11, since: again))
        delivery.left(audience)
        #expect(delivery.skip(to: 12, identities: 12, since: again))
        delivery.entered(audience)
        #expect(!delivery.skip(to: 13, identities: 13, since: again))
    }

    @Test("while a socket is told what it missed, the watermark that it has to reach stands still")
    func resuming() {
        let delivery = delivery()
        delivery.beginResuming()
        delivery.beginResuming()
        delivery.endResuming()
        #expect(!delivery.skip(to: 11, identities: 11, since: delivery.arrivals))
        #expect(delivery.watermark == 10)
        delivery.endResuming()
        #expect(delivery.skip(to: 11, identities: 11, since: delivery.arrivals))
    }

    @Test("who waits is resumed by the loop, which is not passed by until then")
    func waiters() {
        let delivery = delivery()
        var told: [Int64] = []
        delivery.whenDelivered(10) { told.append(10) }
        #expect(told == [10])
        delivery.whenDelivered(12) {
            told.append(12)
            delivery.whenDelivered(14) { told.append(14) }
        }
        #expect(!delivery.skip(to: 12, identities: 12, since: delivery.arrivals))
        delivery.advance(to: 12)
        #expect(told == [10, 12])
        #expect(!delivery.skip(to: 14, identities: 14, since: delivery.arrivals))
        delivery.advance(to: 14)
        #expect(told == [10, 12, 14])
        #expect(delivery.skip(to: 15, identities: 15, since: delivery.arrivals))

        delivery.whenIdentitiesHold(16) { told.append(16) }
        #expect(!delivery.skip(to: 16, identities: 16, since: delivery.arrivals))
        delivery.stop()
        #expect(told == [10, 12, 14, 16])
    }

    @Test("who comes and goes, on loops that are mostly passed by, is told each of his events once")
    func comingAndGoing() async throws {
        try await LiveServer.run { server in
            let start = try await server.addThing("before")
            let token = try await server.token(for: "test@example.com")
            let open = (0..<900).filter { $0.isMultiple(of: 5) }.map(String.init) + ["last"]
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 0..<900 {
                        try await server.addThing("\(number)", adminOnly: !number.isMultiple(of: 5))
                    }
                    try await server.addThing("last")
                }
                for client in 0..<6 {
                    group.addTask {
                        var position = start.description
                        var told: [String] = []
                        var round = 0
                        while told.last != "last" {
                            let socket = try await server.connect(
                                auth: ["token": .string(token), "after": .string(position)])
                            // Now and then before it is live, and each time after another number of events: a client that
                            // only ever leaves before it is told anything comes to no end.
                            round += 1
                            let enough = (told.count + client + round) % 7
                            if enough > 0 {
                                try await socket.thing(open[min(told.count + enough, open.count) - 1])
                            }
                            await socket.connection.disconnect()
                            let received = await socket.received
                            for case .event(_, let arguments) in received {
                                if let text = arguments.last?.stringValue { position = text }
                            }
                            told += received.compactMap { $0.modelEvent?.row["name"]?.stringValue }
                        }
                        #expect(told == open)
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
