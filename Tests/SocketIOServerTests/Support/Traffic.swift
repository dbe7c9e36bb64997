import NIOCore
import Synchronization
import WireJSON

@testable import SocketIOServer

/// What one socket was sent, under numbers that grow, and so what its client may and must have read.
struct Account: Sendable {
    /// The keys of events, by number.
    var events: [Int: String] = [:]
    /// What is neither folded nor dropped: emits and acknowledgements.
    var kept: [Int] = []
    var discarded: [LostEvents] = []

    /// Judges all that a client heard.
    ///
    /// - Parameter isComplete: whether it was there to the end.
    /// - Returns: what is wrong with it; nil for nothing.
    func judge(_ heard: [String], isComplete: Bool) -> String? {
        var last = 0
        var answers = kept[...]
        var accounted: Set<Int> = []
        var announced = 0
        for message in heard {
            guard let item = Heard(message) else { return "\(message.prefix(80)) is nothing that was sent" }
            guard item.number > last else { return "\(item.number) came behind \(last)" }
            last = item.number
            switch item {
            case .kept(let number):
                guard answers.popFirst() == number else { return "\(number) came, but not what was to come before it" }
            case .lost(let first, let end, let count):
                announced += count
                if let told = accounted.first(where: { (first...end).contains($0) }) {
                    return "\(told) was told, and then a notice said that it was lost"
                }
            case .event(let number, let all):
                for older in all {
                    guard let key = events[older] else { return "\(older) was never sent" }
                    guard accounted.insert(older).inserted else { return "\(older) was told twice" }
                    if all.count > 1, key.isEmpty || key != events[number] {
                        return "\(number) stands for \(older), which has the key '\(key)'"
                    }
                }
                if let lost = discarded.first(where: { ($0.first...$0.last).contains(Int64(number)) }) {
                    return "\(number) was told though \(lost) was taken back"
                }
                if kept.contains(where: { $0 > all[0] && $0 < number }) { return "\(all) were folded across an answer" }
            }
        }
        guard isComplete else { return nil }
        let takenBack = discarded.reduce(0) { $0 + $1.count }
        if !answers.isEmpty { return "\(answers) never came" }
        guard accounted.count + announced + takenBack == events.count else {
            return
                "of \(events.count) events \(accounted.count) were told, \(announced) announced, \(takenBack) taken back"
        }
        return nil
    }

    private enum Heard {
        case kept(Int)
        case event(Int, all: [Int])
        case lost(Int, Int, count: Int)

        var number: Int {
            switch self {
            case .kept(let number), .event(let number, _), .lost(let number, _, _): number
            }
        }

        init?(_ message: String) {
            // Without the padding, which makes up most of it.
            let text = message.utf8.filter { $0 != UInt8(ascii: "p") }.drop { $0 != UInt8(ascii: "[") }
            guard let content = try? JSON(parsing: Array(text)).arrayValue else { return nil }
            let numbers = content.compactMap { $0.integerValue.map { Int($0) } }
            if message.hasPrefix("43"), numbers.count == 1 {
                self = .kept(numbers[0])
                return
            }
            guard message.hasPrefix("42"), numbers.count > 0 else { return nil }
            // Behind the trail there may be the span.
            switch (content[0].stringValue, numbers.count, content.first { $0.arrayValue != nil }?.arrayValue) {
            case ("k", 1, nil): self = .kept(numbers[0])
            case ("l", 3, nil): self = .lost(numbers[0], numbers[1], count: numbers[2])
            case ("e", 1, nil): self = .event(numbers[0], all: numbers)
            case ("e", 2, let trail?):
                let all = trail.compactMap { $0.integerValue.map { Int($0) } }
                guard all.count == numbers[1], all.last == numbers[0], all == all.sorted() else { return nil }
                self = .event(numbers[0], all: all)
            default: return nil
            }
        }
    }
}

/// Random things that one loop's sockets are sent, and the accounts of them.
final class Traffic: Sendable {
    private struct State {
        var random: Seeded
        var next = 0
        var accounts: [String: Account] = [:]
    }

    private let state: Mutex<State>
    private let paddings: [String]

    /// - Parameter sizes: of the things that are sent, about.
    init(seed: UInt64, sizes: [Int]) {
        state = Mutex(State(random: Seeded(seed)))
        paddings = sizes.map { String(repeating: "p", count: $0) }
    }

    func account(of id: String) -> Account { state.withLock { $0.accounts[id] ?? Account() } }

    /// An application whose sockets are in one room, and whose answers are numbers of their loop's traffic.
    static func application(_ traffic: [Traffic], _ sockets: Shared<[Socket]>, _ journal: Journal) -> Application {
        Application(
            onConnect: { socket, _ in
                await socket.onLoop { socket in
                    socket.accept()
                    socket.join(Room("all"))
                    sockets.change { $0.append(socket) }
                }
            },
            onEvent: { event, socket in
                await socket.onLoop { [.integer(Int64(traffic[$0.hub.index].draw(for: $0)))] }
            },
            onDisconnect: { socket, reason in journal.note("\(reason)") },
            onLoss: { lost in ("l", [.integer(lost.first), .integer(lost.last), .integer(Int64(lost.count))]) })
    }

    /// The number of something that is sent to one socket next.
    func draw(for socket: Socket) -> Int {
        state.withLock { state in
            state.next += 1
            state.accounts[socket.id, default: Account()].kept.append(state.next)
            return state.next
        }
    }

    private func below(_ bound: Int) -> Int { state.withLock { $0.random.below(bound) } }

    func emit(to socket: Socket) {
        guard socket.isConnected else { return }
        socket.emit("k", [.integer(Int64(draw(for: socket))), .string(paddings[below(2)])])
    }

    func broadcast(_ count: Int, on hub: SocketHub) {
        var events: [OutboundEvent] = []
        let ids = hub.sockets(in: Room("all")).map(\.id)
        for _ in 0..<count {
            let padding = paddings[below(paddings.count)]
            let key = ["", "a", "b", "c"][below(4)]
            let number = state.withLock { state in
                state.next += 1
                for id in ids { state.accounts[id, default: Account()].events[state.next] = key }
                return Int64(state.next)
            }
            events.append(
                OutboundEvent(
                    "e", [.integer(number), .string(padding)], number: number,
                    folding: key.isEmpty ? nil : .init(key: key, digest: Trail(numbers: [number]))))
        }
        hub.send(OutboundBatch(events), to: Room("all"))
    }

    /// Takes back what waits for a socket, and tells it something.
    func takeBack(from socket: Socket) {
        guard socket.isConnected else { return }
        if let lost = socket.discardWaitingEvents() {
            state.withLock { $0.accounts[socket.id, default: Account()].discarded.append(lost) }
        }
        emit(to: socket)
    }

    /// Does one thing, on the hub's loop.
    func act(on hub: SocketHub) {
        let sockets = hub.sockets(in: Room("all"))
        guard !sockets.isEmpty else { return }
        switch below(12) {
        case 0..<8: broadcast(1 + below(5), on: hub)
        case 8..<11: emit(to: sockets[below(sockets.count)])
        default: takeBack(from: sockets[below(sockets.count)])
        }
    }
}
