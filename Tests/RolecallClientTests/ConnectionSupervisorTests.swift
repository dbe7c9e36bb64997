import RolecallProtocol
import SocketIOClient
import Synchronization
import Testing
import WireJSON

@testable import RolecallClient

@Suite("ConnectionSupervisor", .timeLimit(.minutes(1)))
struct ConnectionSupervisorTests {
    private let token: Token
    private let other: Token

    init() throws {
        token = try #require(Token("token.of.ann"))
        other = try #require(Token("token.of.root"))
    }

    private func supervisor(
        _ connector: ScriptedConnector, _ persistence: ConnectionMachine.Persistence = .forever,
        credential: Token? = nil, after: Position? = nil
    ) -> ConnectionSupervisor {
        ConnectionSupervisor(
            connector: connector,
            machine: ConnectionMachine(
                persistence: persistence, backoff: ReconnectBackoff(initial: .milliseconds(1), jitter: 0)),
            credential: credential, after: after, logger: quietLogger)
    }

    private func next(_ count: Int, of supervisor: ConnectionSupervisor) async -> [Notice] {
        var notices: [Notice] = []
        while notices.count < count, let notice = await supervisor.next() { notices.append(notice) }
        return notices
    }

    private func rest(of supervisor: ConnectionSupervisor) async -> [Notice] {
        await next(.max, of: supervisor)
    }

    @Test("tells what happens in order, and resumes from the last position with the same token")
    func resumption() async {
        let first = ScriptedLink(
            "S1", .identity(identity(ann), at: 3), .model(event(4)), .lost(reason: "The server went away."))
        let second = ScriptedLink("S2", .identity(identity(ann), at: 4), .model(event(5)))
        let connector = ScriptedConnector(first, second)
        let supervisor = supervisor(connector, credential: token, after: position(2))
        #expect(
            await next(9, of: supervisor) == [
                .state(.connecting(attempt: 1)), .state(.online(socketID: "S1")), .identity(identity(ann), position(3)),
                .event(event(4)),
                .state(.offline(reason: "The server went away.", retryIn: .milliseconds(1), attempt: 1)),
                .state(.connecting(attempt: 1)), .state(.online(socketID: "S2")), .identity(identity(ann), position(4)),
                .event(event(5)),
            ])
        #expect(
            connector.handshakes == [
                Handshake(token: token, after: position(2)), Handshake(token: token, after: position(4)),
            ])
        #expect(first.isClosed)
        await supervisor.close()
        #expect(second.isClosed)
        #expect(await rest(of: supervisor) == [.state(.closed(reason: "The connection was closed as asked."))])
        #expect(await supervisor.next() == nil)
    }

    @Test("a wait for the next attempt can be cut short, as often as there is one", .timeLimit(.minutes(1)))
    func hurrying() async {
        let unreachable = ConnectFailure(kind: .unreachable, description: "Nobody.")
        let link = ScriptedLink("S1", .identity(identity(ann), at: 1))
        let connector = ScriptedConnector([.fail(unreachable), .fail(unreachable), .accept(link)])
        let supervisor = ConnectionSupervisor(
            connector: connector,
            machine: ConnectionMachine(
                persistence: .forever, backoff: ReconnectBackoff(initial: .seconds(1000), jitter: 0)),
            credential: nil, after: nil, logger: quietLogger)
        var notices: [Notice] = []
        while notices.last != .identity(identity(ann), position(1)), let notice = await supervisor.next() {
            notices.append(notice)
            if case .state(.offline) = notice { await supervisor.reconnect() }
        }
        #expect(notices.count == 7)
        await supervisor.close()
    }

    @Test("a new connection can be asked for while one stands, and comes without a wait", .timeLimit(.minutes(1)))
    func reconnecting() async {
        let connector = ScriptedConnector(
            ScriptedLink("S1", .identity(identity(ann), at: 1)), ScriptedLink("S2", .identity(identity(ann), at: 1)))
        let supervisor = ConnectionSupervisor(
            connector: connector,
            machine: ConnectionMachine(
                persistence: .forever, backoff: ReconnectBackoff(initial: .seconds(1000), jitter: 0)),
            credential: nil, after: nil, logger: quietLogger)
        _ = await next(3, of: supervisor)
        await supervisor.reconnect()
        let notices = await next(4, of: supervisor)
        #expect(notices[2] == .state(.online(socketID: "S2")))
        await supervisor.close()
    }

    @Test("closing ends a wait", .timeLimit(.minutes(1)))
    func closingWhileWaiting() async {
        let unreachable = ConnectFailure(kind: .unreachable, description: "Nobody.")
        let supervisor = ConnectionSupervisor(
            connector: ScriptedConnector([.fail(unreachable)]),
            machine: ConnectionMachine(
                persistence: .forever, backoff: ReconnectBackoff(initial: .seconds(1000), jitter: 0)),
            credential: nil, after: nil, logger: quietLogger)
        _ = await next(2, of: supervisor)
        await supervisor.close()
        #expect(await rest(of: supervisor) == [.state(.closed(reason: "The connection was closed as asked."))])
    }

    @Test("closing while a lost connection is being left is the end, and no wait follows it", .timeLimit(.minutes(1)))
    func closingWhileLeaving() async throws {
        let link = SlowlyClosingLink()
        let supervisor = ConnectionSupervisor(
            connector: OneLink(link: link), machine: ConnectionMachine(persistence: .forever), credential: nil,
            after: nil, logger: quietLogger)
        async let notices = rest(of: supervisor)
        try await eventually("the link is being closed") { link.closings.load(ordering: .relaxed) == 1 }
        await supervisor.close()
        link.mayClose.open()
        #expect(await notices.last == .state(.closed(reason: "The connection was closed as asked.")))
        #expect(await supervisor.next() == nil)
    }

    @Test("what nobody answers is tried again; what can't heal is told once")
    func failures() async {
        let unreachable = ConnectFailure(kind: .unreachable, description: "Nobody.")
        let hopeless = ConnectFailure(kind: .refused(status: 403), description: "Forbidden.")
        let supervisor = supervisor(ScriptedConnector([.fail(unreachable), .fail(unreachable), .fail(hopeless)]))
        #expect(
            await rest(of: supervisor) == [
                .state(.connecting(attempt: 1)),
                .state(.offline(reason: "Nobody.", retryIn: .milliseconds(1), attempt: 2)),
                .state(.connecting(attempt: 2)),
                .state(.offline(reason: "Nobody.", retryIn: .milliseconds(2), attempt: 3)),
                .state(.connecting(attempt: 3)), .state(.closed(reason: "Forbidden.")),
            ])
        #expect(await supervisor.ending == .neverConnected(hopeless))
    }

    @Test("once is once, and a loss is its end")
    func once() async {
        let link = ScriptedLink("S1", .lost(reason: "Gone."))
        let supervisor = supervisor(ScriptedConnector(link), .once)
        #expect(await rest(of: supervisor).last == .state(.closed(reason: "Gone.")))
        #expect(await supervisor.ending == .lost(reason: "Gone."))
        #expect(link.isClosed)
    }

    @Test("events twice, gaps, bare positions and unknown events are each told as what they are")
    func kinds() async {
        let gap = Gap(after: nil, before: position(9), reason: .retention)
        let link = ScriptedLink(
            "S1", .model(event(4)), .model(event(4)), .gap(gap),
            .event(name: "position", arguments: [.string(position(12).description)]),
            .event(name: "presence", arguments: [["state": "joined"]]),
            .event(name: "identity", arguments: [["nonsense": true]]), .lost(reason: "Gone."))
        let connector = ScriptedConnector(link)
        let supervisor = supervisor(connector)
        #expect(
            Array(await next(7, of: supervisor).dropFirst(2)) == [
                .event(event(4)), .duplicate(event(4)), .gap(gap),
                .other(name: "presence", arguments: [["state": "joined"]]),
                .other(name: "identity", arguments: [["nonsense": true]]),
            ])
        #expect(await supervisor.duplicates == 1)
        _ = await next(2, of: supervisor)
        _ = await next(1, of: supervisor)
        #expect(connector.handshakes.last?.after == position(12))
    }

    @Test("an answer is told in its place among the events, however late its waiter wakes")
    func answersInPlace() async throws {
        let wakes = Gate()
        let link = ScriptedLink("S1", .identity(identity(ann), at: 3)) { _, _, link in
            link.push(
                .model(event(4)), .identity(identity(nil, epoch: 2, reason: .logout), at: 4), .acknowledgement,
                .model(event(5)))
            try await wakes.wait()
            return ["data": "un-registered"]
        }
        let supervisor = supervisor(ScriptedConnector(link), credential: token)
        _ = await next(3, of: supervisor)
        async let logout: Void = supervisor.logout(command: "logout", timeout: .seconds(5))
        #expect(
            await next(2, of: supervisor) == [
                .event(event(4)), .identity(identity(nil, epoch: 2, reason: .logout), position(4)),
            ])
        async let following = next(2, of: supervisor)
        wakes.open()
        try await logout
        #expect(
            await following == [.answer(command: "logout", ["data": "un-registered"]), .event(event(5))])
        await supervisor.close()
    }

    @Test("the next handshake presents the token of the last login that was granted, and none after a logout")
    func credentials() async throws {
        let answer: ScriptedLink.Answer = { event, arguments, link in
            link.push(.acknowledgement)
            switch (event, arguments.first) {
            case (ClientEvent.login, "token.of.root"): return ["data": "registered"]
            case (ClientEvent.login, _): return ["error": "token_expired", "message": "It is over."]
            default: return ["data": "un-registered"]
            }
        }
        let links = (1...4).map { ScriptedLink("S\($0)", answer: answer) }
        let connector = ScriptedConnector(links.map(ScriptedConnector.Entry.accept))
        let supervisor = supervisor(connector, credential: token)
        let expired = try #require(Token("token.of.yesterday"))

        _ = await next(2, of: supervisor)
        try await supervisor.login(command: "login", token: expired, timeout: .seconds(5))
        #expect(
            await next(1, of: supervisor)
                == [.answer(command: "login", ["error": "token_expired", "message": "It is over."])])
        links[0].push(.lost(reason: "Gone."))
        _ = await next(3, of: supervisor)
        try await supervisor.login(command: "login", token: other, timeout: .seconds(5))
        links[1].push(.lost(reason: "Gone."))
        _ = await next(4, of: supervisor)
        try await supervisor.logout(command: "logout", timeout: .seconds(5))
        links[2].push(.lost(reason: "Gone."))
        _ = await next(4, of: supervisor)
        #expect(connector.handshakes.map(\.token) == [token, token, other, nil])
        await supervisor.close()
    }

    @Test("a connection that is let go comes back; with one only, that is the end and no loss")
    func letGo() async {
        let links = [ScriptedLink("S1"), ScriptedLink("S2")]
        let connector = ScriptedConnector(links[0], links[1])
        let forever = supervisor(connector)
        _ = await next(2, of: forever)
        await forever.drop()
        #expect(
            await next(3, of: forever) == [
                .state(.offline(reason: "This client disconnected.", retryIn: .milliseconds(1), attempt: 1)),
                .state(.connecting(attempt: 1)), .state(.online(socketID: "S2")),
            ])
        await forever.close()

        let once = supervisor(ScriptedConnector(ScriptedLink("S3")), .once)
        _ = await next(2, of: once)
        await once.drop()
        _ = await rest(of: once)
        #expect(await once.ending == .closed)
    }

    @Test("a request without a connection fails at once, one on a lost connection when it is lost")
    func requestFailures() async throws {
        let link = ScriptedLink("S1") { _, _, link in
            link.push(.lost(reason: "Gone."))
            throw RequestFailure.connectionLost
        }
        let second = ScriptedLink("S2") { _, _, link in
            link.push(.acknowledgement)
            return "answer"
        }
        let supervisor = supervisor(ScriptedConnector(link, second))
        await #expect(throws: RequestFailure.offline) {
            try await supervisor.request(command: "x", "x", [], timeout: .seconds(5))
        }
        _ = await next(2, of: supervisor)
        await #expect(throws: RequestFailure.connectionLost) {
            try await supervisor.request(command: "x", "x", [], timeout: .seconds(5))
        }
        _ = await next(3, of: supervisor)
        #expect(try await supervisor.request(command: "y", "y", [], timeout: .seconds(5)) == "answer")
        #expect(await next(1, of: supervisor) == [.answer(command: "y", "answer")])
        await supervisor.close()
    }

    @Test("waiting for a connection ends with the connection, or with the waiter")
    func waitingUntilOnline() async throws {
        let link = ScriptedLink("S1")
        let supervisor = supervisor(ScriptedConnector(link))
        let cancelled = Task { try await supervisor.waitUntilOnline() }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        async let online: Void = supervisor.waitUntilOnline()
        _ = await next(2, of: supervisor)
        try await online
        try await supervisor.waitUntilOnline()
        await supervisor.drop()
        let waiting = Task { try await supervisor.waitUntilOnline() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        await supervisor.close()
    }

    @Test("cancelling the reader closes the connection, wherever it waits")
    func cancellation() async throws {
        let link = ScriptedLink("S1")
        let listening = supervisor(ScriptedConnector(link))
        let reader = Task { await rest(of: listening) }
        try await eventually("online") {
            if case .some = try? await listening.waitUntilOnline() { true } else { false }
        }
        reader.cancel()
        #expect(await reader.value.last == .state(.closed(reason: "The connection was closed as asked.")))
        #expect(link.isClosed)

        let waiting = ConnectionSupervisor(
            connector: ScriptedConnector([]),
            machine: ConnectionMachine(persistence: .forever, backoff: ReconnectBackoff(initial: .seconds(600))),
            credential: nil, after: nil, logger: quietLogger)
        _ = await next(2, of: waiting)
        let waiter = Task { await rest(of: waiting) }
        waiter.cancel()
        #expect(await waiter.value == [.state(.closed(reason: "The connection was closed as asked."))])
    }
}

/// A link that is lost at once, and whose first closing takes as long as a test wants.
private final class SlowlyClosingLink: SocketLink {
    let socketID = "S1"
    let mayClose = Gate()
    let closings = Atomic(0)

    func arrivals(isolation: isolated (any Actor)?) async -> [SocketArrival] { [.lost(reason: "Gone.")] }

    func request(_ event: String, _ arguments: [JSON], timeout: Duration) async throws -> JSON { .null }

    func close() async {
        guard closings.add(1, ordering: .relaxed).oldValue == 0 else { return }
        try? await mayClose.wait()
    }
}

private struct OneLink: SocketConnector {
    let link: SlowlyClosingLink

    func connect(_ handshake: Handshake) async throws -> any SocketLink { link }
}
