import NIOCore
import RolecallProtocol
import TestSupport
import Testing

@testable import RolecallCore

@Suite("Who is on, by the clock that it is given")
struct PresenceRollTests {
    private static let linger = TimeAmount.seconds(5)
    private let ann = UserSummary(id: 1, email: "ann@example.org", name: "Ann", role: "user")
    private let bob = UserSummary(id: 2, email: "bob@example.org", name: "Bob", role: "admin")
    private var roll = PresenceRoll(linger: linger)

    private func at(_ seconds: Double) -> NIODeadline {
        .uptimeNanoseconds(UInt64(1_000_000_000 * (100 + seconds)))
    }

    private func joined(_ user: UserSummary, _ sockets: Int = 1) -> PresenceRoll.News {
        .init(user: user, sockets: sockets, hasLeft: false)
    }

    private func left(_ user: UserSummary) -> PresenceRoll.News { .init(user: user, sockets: 0, hasLeft: true) }

    @Test("a user joins with the first socket, and more of them are no news")
    mutating func joins() {
        roll.arrived(ann, readAt: 1)
        #expect(roll.takeNews() == [joined(ann)])
        roll.arrived(ann, readAt: 1)
        roll.departed(ann.id, now: at(0))
        #expect(!roll.hasNews)
        #expect(roll.nextDeadline == nil)
        #expect(roll.snapshot == [joined(ann)])
    }

    @Test("a user has left five seconds after the last socket, and not before")
    mutating func leaves() {
        roll.arrived(ann, readAt: 1)
        _ = roll.takeNews()
        roll.departed(ann.id, now: at(0))
        #expect(roll.nextDeadline == at(5))
        roll.expire(now: at(4.999))
        #expect(!roll.hasNews)
        #expect(roll.snapshot == [joined(ann, 0)])
        roll.expire(now: at(5))
        #expect(roll.takeNews() == [left(ann)])
        #expect(roll.snapshot.isEmpty)
        #expect(roll.nextDeadline == nil)
        roll.expire(now: at(60))
        #expect(!roll.hasNews)
    }

    @Test("who comes back in time was never gone, and has the whole time again after that")
    mutating func comesBack() {
        roll.arrived(ann, readAt: 1)
        _ = roll.takeNews()
        roll.departed(ann.id, now: at(0))
        roll.arrived(ann, readAt: 1)
        roll.departed(ann.id, now: at(3))
        roll.expire(now: at(5))
        #expect(!roll.hasNews)
        #expect(roll.nextDeadline == at(8))
        roll.expire(now: at(8))
        #expect(roll.takeNews() == [left(ann)])
        roll.arrived(ann, readAt: 1)
        #expect(roll.takeNews() == [joined(ann)])
    }

    @Test("another name or role is news, and an older reading of the record undoes no newer one")
    mutating func changes() {
        var renamed = ann
        renamed.name = "Anna"
        roll.arrived(ann, readAt: 1)
        roll.arrived(ann, readAt: 1)
        _ = roll.takeNews()
        roll.changed(renamed, readAt: 7)
        #expect(roll.takeNews() == [joined(renamed, 2)])
        roll.changed(renamed, readAt: 7)
        roll.changed(ann, readAt: 3)
        roll.arrived(ann, readAt: 3)
        #expect(!roll.hasNews)
        #expect(roll.snapshot == [joined(renamed, 3)])
        roll.changed(bob, readAt: 9)
        #expect(roll.count == 1, "Who has no socket is not on.")
    }

    @Test("a record that changed while its user was away is news when he is back")
    mutating func changesAway() {
        roll.arrived(ann, readAt: 1)
        _ = roll.takeNews()
        roll.departed(ann.id, now: at(0))
        var renamed = ann
        renamed.name = "Anna"
        roll.arrived(renamed, readAt: 2)
        #expect(roll.takeNews() == [joined(renamed)])
    }

    @Test("of each user the last word is told, in the order in which they came up")
    mutating func order() {
        roll.arrived(bob, readAt: 1)
        roll.arrived(ann, readAt: 1)
        roll.departed(bob.id, now: at(0))
        roll.expire(now: at(5))
        #expect(roll.takeNews() == [left(bob), joined(ann)])
        #expect(roll.takeNews() == [])
    }

    @Test("whatever comes and goes, what was told adds up to who is on, and nothing is kept of those who are gone")
    mutating func addsUp() {
        var generator = Seeded(11)
        let users = (1...8).map { UserSummary(id: $0, email: "\($0)@example.org", name: "\($0)", role: "user") }
        var sockets = [Int64: Int]()
        var told = Set<Int64>()
        var now = 0.0
        func hear(_ news: [PresenceRoll.News]) {
            for item in news {
                if item.hasLeft { told.remove(item.user.id) } else { told.insert(item.user.id) }
            }
        }
        for _ in 0..<20_000 {
            now += Double.random(in: 0...1, using: &generator)
            let user = users[Int.random(in: 0..<8, using: &generator)]
            if Bool.random(using: &generator), let count = sockets[user.id], count > 0 {
                sockets[user.id] = count - 1
                roll.departed(user.id, now: at(now))
            } else if sockets[user.id, default: 0] < 3 {
                sockets[user.id, default: 0] += 1
                roll.arrived(user, readAt: 1)
            }
            roll.expire(now: at(now))
            if Bool.random(using: &generator) {
                hear(roll.takeNews())
                #expect(told == Set(roll.snapshot.map(\.user.id)))
            }
            for (id, count) in sockets where count > 0 {
                #expect(roll.snapshot.contains { $0.user.id == id && $0.sockets == count })
            }
        }
        for (id, count) in sockets { for _ in 0..<count { roll.departed(id, now: at(now)) } }
        roll.expire(now: at(now + 5))
        hear(roll.takeNews())
        #expect(told.isEmpty)
        #expect(roll.count == 0)
        #expect(roll.nextDeadline == nil)
    }
}
