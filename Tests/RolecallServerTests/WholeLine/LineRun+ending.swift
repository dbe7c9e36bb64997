import ModelStore
import RolecallProtocol
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

/// What everybody was told, held against what the rules say.
extension LineRun {
    /// Waits until all has been told, and judges it.
    func end() async throws {
        try await reload(everything: true)
        let head = try await server.store.head().position
        await server.told(head)
        try await look()
        for ear in ears { try await judge(ear, head: head.sequence) }
        for account in [nil] + world.accounts.indices.map(Optional.some) { try await judgeLog(account) }
    }

    /// The log as REST tells it.
    private func judgeLog(_ account: Int?) async throws {
        let (eyes, users) = (eyes(account), world.users)
        guard eyes.user != nil || world.tables.contains(where: eyes.seesSome) else { return }
        var told: [LineTold] = []
        var path = "/api/events?limit=1000"
        while true {
            let answer = try await send("GET", path, as: account)
            try expect(200, answer)
            let page = answer.json.arrayValue ?? []
            for event in page {
                guard let name = event["event"]?.stringValue,
                    let event = ModelEvent(
                        name: name, arguments: ["data", "info", "position"].map { event[$0] ?? .null })
                else { throw fault("This is no event: \(event)") }
                told.append(LineTold(event))
            }
            guard !page.isEmpty, let position = answer.headers["x-rolecall-position"] else { break }
            path = "/api/events?limit=1000&after=\(position)"
        }
        let expected = log.compactMap { entry in table(entry).flatMap { eyes.told(entry, $0, users) } }
        try compare(told, expected, "The log for \(eyes)")
    }

    /// One identity of a socket, and what it was told.
    private struct Epoch {
        var identity: Identity
        /// Everything up to here belongs to those before it.
        var start: Int64
        var events: [ModelEvent] = []
        /// Something that still waited was taken back from it.
        var hasGap = false
    }

    private func judge(_ ear: Ear, head: Int64) async throws {
        var epochs: [Epoch] = []
        for item in try await ear.socket.caughtUp() {
            guard case .event(let name, let arguments) = item else { continue }
            if let identity = item.identity {
                let position = arguments.last?.stringValue.flatMap(Position.init)?.sequence ?? 0
                epochs.append(Epoch(identity: identity, start: epochs.isEmpty ? ear.start : position))
            } else if let event = item.modelEvent, !epochs.isEmpty {
                epochs[epochs.count - 1].events.append(event)
            } else if name == Gap.eventName, !epochs.isEmpty {
                epochs[epochs.count - 1].hasGap = true
            } else if name != "position" {
                throw fault("A socket is told \(name) \(arguments).")
            }
            if let epoch = epochs.last { try check(name, arguments, in: epoch, of: ear) }
        }
        for (place, epoch) in epochs.enumerated() {
            let end = place + 1 < epochs.count ? epochs[place + 1].start : head
            let eyes = eyes(of: epoch)
            let expected = log.filter { $0.sequence > epoch.start && $0.sequence <= end }
                .compactMap { entry in table(entry).flatMap { eyes.told(entry, $0, world.users) } }
            let told = epoch.events.map(LineTold.init)
            if epoch.hasGap {
                guard place + 1 < epochs.count, told == Array(expected.prefix(told.count)) else {
                    throw fault("A socket of \(eyes) has a gap that it ought not to have.")
                }
            } else {
                try compare(told, expected, "A socket of \(eyes) in epoch \(epoch.identity.epoch)")
            }
        }
        guard let last = epochs.last, last.identity.epoch == ear.epoch, eyes(of: last) == eyes(ear.account),
            let lists = ear.lists[ear.epoch]
        else { throw fault("A socket is another's than \(eyes(ear.account)): \(epochs.map(\.identity))") }
        try await fold(last.events, onto: lists, of: ear.account)
        try await checkPresence(ear, epochs)
    }

    /// What a client shows is what a new one would read.
    private func fold(_ events: [ModelEvent], onto lists: [Int: LineList], of account: Int?) async throws {
        for (place, list) in lists {
            var rows = list.rows
            for event in events
            where event.model == world.tables[place].model && event.position.sequence > list.position {
                guard let row = event.row.lineRow, let key = row["_id"] else { throw fault("An event has no key.") }
                rows[key] = event.operation.verb == "save" ? row : nil
            }
            let now = try await self.list(place, as: account).rows
            guard rows == now else {
                throw fault("\(eyes(account)) shows of \(world.tables[place].model) \(rows)\nand reads \(now)")
            }
        }
    }

    // MARK: Numbers

    /// No event holds a number that its receiver could not see in the row before it or after it.
    private func check(_ name: String, _ arguments: [JSON], in epoch: Epoch, of ear: Ear) throws {
        let (eyes, users) = (eyes(of: epoch), world.users)
        var allowed: Set<Int64> = []
        if let event = ModelEvent(name: name, arguments: arguments) {
            guard let entry = log.first(where: { $0.sequence == event.position.sequence }), let table = table(entry)
            else {
                throw fault("There is no such entry: \(event)")
            }
            for cell in [entry.before, entry.after].flatMap({ eyes.part(of: $0, table)?.values.map(\.self) ?? [] }) {
                allowed.formUnion(numbers(in: cell))
            }
            allowed.formUnion(names(in: table, for: eyes))
            if eyes.seesActors(users), let actor = entry.actor { allowed.formUnion(numbers(in: actor)) }
        } else if name == Identity.eventName, let user = epoch.identity.user {
            guard user.id == ear.account.map({ world.accounts[$0].id }) else { throw fault("A socket is \(user)'s.") }
            allowed = numbers(in: "\(user.id) \(user.email) \(user.name)")
        }
        let held = numbers(in: "\(name) \(JSON.array(arguments))")
        guard held.isSubset(of: allowed) else {
            throw fault("\(name) \(arguments) betrays \(held.subtracting(allowed)) to \(eyes).")
        }
    }

    /// Nor does what is told of who is on.
    private func checkPresence(_ ear: Ear, _ epochs: [Epoch]) async throws {
        let presence = await ear.socket.presence
        var allowed: Set<Int64> = []
        for epoch in epochs where eyes(of: epoch).seesActors(world.users) {
            allowed.formUnion(numbers(for: eyes(of: epoch)))
        }
        let held = numbers(in: JSON.array(presence).description)
        guard held.isSubset(of: allowed) else { throw fault("Presence betrays \(held.subtracting(allowed)).") }
    }

    // MARK: Parts

    private func eyes(of epoch: Epoch) -> LineEyes {
        guard let user = epoch.identity.user else { return .nobody }
        return LineEyes(
            rank: world.roles.firstIndex(of: user.role) ?? 0, user: LineEyes.User(id: user.id, email: user.email))
    }

    private func table(_ entry: LineEntry) -> LineTable? { world.tables.first { $0.model == entry.model } }

    private func compare(_ told: [LineTold], _ expected: [LineTold], _ who: String) throws {
        guard told != expected else { return }
        let place = zip(told, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? min(told.count, expected.count)
        throw fault(
            """
            \(who) is told \(told.dropFirst(place).first.map { "\($0)" } ?? "nothing")
            where \(expected.dropFirst(place).first.map { "\($0)" } ?? "nothing") ought to come
            """)
    }
}

extension LineTold {
    init(_ event: ModelEvent) {
        self.init(
            name: event.name, row: event.row.lineRow ?? [:], operation: event.operation.rawValue,
            changed: Set(event.changed), by: event.by?.json.description, sequence: event.position.sequence)
    }
}

extension TestSocket {
    /// All that was sent to it until now.
    func caughtUp() async throws -> [Received] {
        let before = await received.count { $0 == .acknowledged }
        _ = try await call("whoami")
        var items = await received
        while items.count(where: { $0 == .acknowledged }) <= before {
            items = try await received(atLeast: items.count + 1)
        }
        return items
    }
}
