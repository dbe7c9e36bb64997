import Foundation
import ModelStore
import RolecallProtocol
import Synchronization
import Testing

/// A value that several tasks share.
final class Kept<Value: Sendable>: Sendable {
    private let state = Mutex<Value?>(nil)
    var value: Value? {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

final class Shared<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: sending Value) { state = Mutex(value) }

    var value: Value { state.withLock { $0 } }

    func change<Output: Sendable>(_ body: (inout Value) -> Output) -> Output {
        state.withLock { value in
            var changed = value
            defer { value = changed }
            return body(&changed)
        }
    }
}

/// Holds the threads that come to it until it is opened, and lets all others pass from then on.
final class Gate: Sendable {
    private let opened = DispatchSemaphore(value: 0)
    private let state = Shared((arrived: 0, isOpen: false))

    var hasArrived: Bool { state.value.arrived > 0 }

    func pass() {
        state.change { $0.arrived += 1 }
        guard opened.wait(timeout: .now() + 30) == .success else { return }
        opened.signal()
    }

    func open() { opened.signal() }
}

/// Where several threads wait for each other, for a moment: they may be kept from coming.
final class Meeting: Sendable {
    private let size: Int
    private let arrived = Shared(0)
    private let all = DispatchSemaphore(value: 0)

    init(of size: Int) { self.size = size }

    func wait() {
        let count = arrived.change { arrived in
            arrived += 1
            return arrived
        }
        if count < size { _ = all.wait(timeout: .now() + .milliseconds(50)) }
        all.signal()
    }
}

/// Waits for something that comes about by itself.
func eventually(
    _ condition: () async throws -> Bool, sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(2))
    }
    Issue.record("it has not come to be", sourceLocation: sourceLocation)
}

/// A user with a sign-in of his own.
struct Member: Sendable {
    var id: Int64
    var claim: Claim
    var session: String
}

extension Store {
    func model(_ name: String) throws -> Model { try #require(models.first { $0.name == name }) }

    func member(_ name: String, role: String = "user") async throws -> Member {
        let user = try await transaction {
            try $0.insertUser(email: "\(name)@example.com", name: name, role: role, password: "hash")
        }.value
        let session = SessionRecord(
            id: "session of \(name)", user: user.id, createdAt: .now,
            expiresAt: Timestamp(milliseconds: Timestamp.now.milliseconds + 3_600_000))
        _ = try await beginSession(session, generation: 0)
        return Member(
            id: user.id, claim: Claim(user: user.id, session: session.id, generation: 0), session: session.id)
    }

    /// Makes a thing, as a member.
    @discardableResult
    func make(
        _ name: String, as member: Member, deadline: Deadline = .standard
    ) async throws -> Committed<Row> {
        try await create(
            model("thing"), as: member.claim, deadline: deadline, values: { _ in [("name", .text(name))] },
            result: { _, row in row })
    }

    /// Changes the name of a thing, as a member.
    @discardableResult
    func rename(
        _ key: Value, to name: String, as member: Member, if condition: WriteCondition = .none
    ) async throws -> Committed<Row> {
        try await update(
            model("thing"), key: key, as: member.claim, if: condition, deadline: .standard,
            values: { _, _ in [("name", .text(name))] }, result: { _, _, after in after })
    }

    func things() async throws -> [Value: Row] {
        let page = try await page(PageQuery(of: model("thing")))
        return Dictionary(page.rows.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    }

    func names() async throws -> [String] {
        try await page(PageQuery(of: model("thing"))).rows.map(\.name)
    }
}

extension Row {
    var key: Value { self["_id"] ?? .null }

    var name: String {
        guard case .text(let name) = self["name"] else { return "" }
        return name
    }
}

/// A reader who folds what a follower is shown into a table, as a client does: a set-back undoes what was not true.
final class Fold: Sendable {
    struct State: Sendable {
        var entries: [ChangeRecord] = []
        var start: [Value: Row]
        var end: LogCursor
        var setBacks = 0
        var turns = 0
        var failures: [String] = []
    }

    private let state: Shared<State>
    private let subscription = Kept<LogSubscription>()

    /// - Parameters:
    ///   - start: what a list showed.
    ///   - cursor: the place of the list.
    init(
        _ store: any Store, from cursor: LogCursor, start: [Value: Row] = [:], limit: Int = 7
    ) async throws {
        state = Shared(State(start: start, end: cursor))
        let identities = try await store.identityCursor()
        subscription.value = store.follow(from: cursor, identities: identities, limit: limit) { [state] news, turn in
            state.change { state in
                let stretch = news.stretch
                state.turns += 1
                switch stretch.interruption {
                case nil:
                    if stretch.start.sequence != state.end.sequence { state.failures.append("a hole: \(stretch)") }
                case .setBack(let common):
                    state.setBacks += 1
                    state.entries.removeAll { $0.sequence > common?.sequence ?? 0 }
                case .retention:
                    state.failures.append("pruned")
                }
                var last = stretch.start.sequence
                for entry in stretch.entries {
                    if entry.sequence <= last { state.failures.append("out of order: \(entry)") }
                    last = entry.sequence
                }
                if last > stretch.end.sequence { state.failures.append("past the end: \(stretch)") }
                state.entries += stretch.entries
                state.end = stretch.end
            }
            turn.end()
        }
    }

    deinit { subscription.value?.end() }

    var value: State { state.value }

    /// The table of things as the log has it.
    var things: [Value: Row] {
        let state = state.value
        var rows = state.start
        for entry in state.entries where entry.model == "thing" { rows[entry.key] = entry.after }
        return rows
    }
}
