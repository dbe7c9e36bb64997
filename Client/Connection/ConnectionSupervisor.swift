import Logging
import RolecallProtocol
import WireJSON

/// Keeps a socket connected to one server, as one user after the other, and tells what happens in order.
///
/// It has no task of its own: whoever asks for the ``next()`` notice drives it, so that a reader who takes nothing
/// holds up the socket, and nothing grows. ``ConnectionMachine`` decides what is done, ``Progress`` from where events
/// resume; here both only happen. Requests may be made meanwhile.
actor ConnectionSupervisor {
    private enum Step {
        case idle
        case connecting
        case listening(any SocketLink)
        /// - Parameter hurry: opened by a wish not to wait any longer.
        case waiting(Duration, hurry: Gate)
        case ended
    }

    private let connector: any SocketConnector
    private let logger: Logger
    private var machine: ConnectionMachine
    private var progress: Progress
    /// Presented by the next handshake, unless the server has said that it is no longer good.
    private(set) var credential: Token?
    /// What the server has refused once is not presented again: each connection would begin with the same refusal.
    private var isCredentialSpent = false

    private var step = Step.idle
    private var notices: ArraySlice<Notice> = []
    /// What the link has brought and was not looked at yet.
    private var arrived: ArraySlice<SocketArrival> = []
    private let online = Gate()
    private var isLetGo = false
    /// The next wait is left out.
    private var isHurried = false
    /// Requests whose answers have not been told, in the order in which they were sent, which is that of the answers.
    private var requests: [PendingRequest] = []

    init(
        connector: any SocketConnector, machine: ConnectionMachine, credential: Token?, after: Position?,
        logger: Logger
    ) {
        self.connector = connector
        self.logger = logger
        self.machine = machine
        self.credential = credential
        progress = Progress(resumption: after)
    }

    /// How many events were told twice so far.
    var duplicates: Int { progress.duplicates }

    /// Why there is no further connection; nil while there may be one.
    var ending: ConnectionMachine.Ending? {
        if case .ended(let ending) = machine.state { ending } else { nil }
    }

    // MARK: - Notices

    /// The next notice; nil after the last, which is that the connection is closed. Cancelling the task closes it.
    /// For one caller at a time.
    func next() async -> Notice? {
        while notices.isEmpty, await advance() {}
        return notices.popFirst()
    }

    /// All notices that there are by now, at least one; empty after the last. As ``next()`` otherwise: for who would
    /// spend more on being woken for each than on the notice.
    ///
    /// - Parameter rest: what comes within that time may come together.
    func nextBatch(resting rest: Duration = .zero) async -> [Notice] {
        if rest > .zero, notices.isEmpty, arrived.isEmpty, case .listening(let link) = step { link.rest(for: rest) }
        while notices.isEmpty, await advance() {}
        defer { notices = [] }
        return Array(notices)
    }

    /// Does what is to be done next, or waits for it; false after the end.
    private func advance() async -> Bool {
        switch step {
        case .idle: apply(machine.start())
        case .connecting: await connect()
        case .listening(let link): await listen(to: link)
        case .waiting(let delay, let hurry):
            await wait(delay, orUntil: hurry)
            apply(Task.isCancelled ? machine.close() : machine.delayPassed())
        case .ended: return false
        }
        return true
    }

    /// Waits for whichever comes first, and no longer than the task is wanted.
    private func wait(_ delay: Duration, orUntil hurry: Gate) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await Task.sleep(for: delay) }
            group.addTask { try? await hurry.wait() }
            await group.next()
            group.cancelAll()
        }
    }

    private var presented: Token? { isCredentialSpent ? nil : credential }

    private func connect() async {
        do {
            let link = try await connector.connect(Handshake(token: presented, after: progress.resumption))
            guard let action = machine.connected(socketID: link.socketID) else {
                // Everything was closed meanwhile.
                return await link.close()
            }
            progress.connected()
            requests = []
            arrived = []
            isLetGo = false
            isHurried = false
            step = .listening(link)
            apply(action)
        } catch let failure as ConnectFailure {
            apply(machine.failed(failure))
        } catch {
            apply(machine.close())
        }
    }

    private func listen(to link: any SocketLink) async {
        if arrived.isEmpty { arrived = await link.arrivals(isolation: self)[...] }
        guard !arrived.isEmpty else {
            return await leave(link, reason: Task.isCancelled ? nil : "The connection ended.")
        }
        while case .listening = step, let arrival = arrived.first {
            // What came before an answer need not wait for it.
            if arrival == .acknowledgement, !notices.isEmpty { return }
            arrived.removeFirst()
            switch arrival {
            case .event(let name, let arguments): receive(name, arguments)
            case .acknowledgement: return await placeAnswer()
            case .lost(let reason): return await leave(link, reason: reason)
            }
        }
    }

    /// - Parameter reason: why the connection was lost; nil where nobody listens any more.
    private func leave(_ link: any SocketLink, reason: String?) async {
        let wasAskedFor = isLetGo
        online.close()
        await link.close()
        // Asked only now: everything may have been closed meanwhile.
        if let reason {
            apply(machine.lost(reason: reason, wasAskedFor: wasAskedFor))
        } else {
            apply(machine.close())
        }
    }

    private func apply(_ action: ConnectionMachine.Action?) {
        switch action {
        case nil: break
        case .connect(let attempt):
            logger.debug(
                "connecting",
                metadata: [
                    "attempt": "\(attempt)", "token": presented == nil ? "none" : "presented",
                    "after": "\(progress.resumption?.description ?? "-")",
                ])
            step = .connecting
            notices.append(.state(.connecting(attempt: attempt)))
        case .listen(let socketID):
            logger.debug("connected", metadata: ["socket": "\(SafeText(socketID))"])
            notices.append(.state(.online(socketID: socketID)))
            online.open()
        case .wait(let delay, let attempt, let reason):
            logger.debug("waiting", metadata: ["reason": "\(SafeText(reason))", "delay": "\(delay)"])
            let hurry = Gate()
            if isHurried { hurry.open() }
            isHurried = false
            step = .waiting(delay, hurry: hurry)
            notices.append(.state(.offline(reason: reason, retryIn: delay, attempt: attempt)))
        case .end(let ending):
            logger.debug("closed", metadata: ["reason": "\(SafeText(ending.description))"])
            step = .ended
            notices.append(.state(.closed(reason: ending.description)))
        }
    }

    private func receive(_ name: String, _ arguments: [JSON]) {
        let position = arguments.last?.stringValue.flatMap(Position.init)
        if let event = ModelEvent(name: name, arguments: arguments) {
            switch progress.received(event) {
            case .fresh: notices.append(.event(event))
            case .duplicate: notices.append(.duplicate(event))
            }
        } else if name == Identity.eventName, let identity = arguments.first.flatMap(Identity.init) {
            progress.received(identity, at: position)
            // What comes by a login that was answered meanwhile is about a newer token.
            isCredentialSpent = identity.user == nil && (isCredentialSpent || identity.reason.spendsToken)
            notices.append(.identity(identity, position))
        } else if name == Gap.eventName, let gap = arguments.first.flatMap(Gap.init) {
            progress.received(gap)
            notices.append(.gap(gap))
        } else if name == ExpiryWarning.eventName, let expiry = ExpiryWarning.expiry(arguments) {
            notices.append(.expiring(expiry))
        } else if name == Presence.eventName, let presence = arguments.first.flatMap(Presence.init) {
            notices.append(.presence(presence))
        } else if name == "position", let position {
            progress.received(position)
        } else {
            if name == ServerRestart.eventName, let restart = arguments.first.flatMap(ServerRestart.init) {
                machine.announced(returnWithin: .seconds(restart.returnWithin))
            }
            notices.append(.other(name: name, arguments: arguments))
        }
    }

    // MARK: - Requests

    /// Waits until there is a connection.
    func waitUntilOnline() async throws {
        try await online.wait()
    }

    /// Sends an event as a command of the user's and waits for its answer, which is also told as a notice.
    ///
    /// - Throws: ``RequestFailure``.
    @discardableResult
    func request(
        command: String, _ event: String, _ arguments: [JSON], timeout: Duration
    ) async throws -> JSON {
        guard case .listening(let link) = step else { throw RequestFailure.offline }
        let request = PendingRequest(command: command)
        requests.append(request)
        defer { request.settled.open() }
        do {
            let answer = try await link.request(event, arguments, timeout: timeout)
            request.answer = answer
            return answer
        } catch {
            requests.removeAll { $0 === request }
            throw error
        }
    }

    /// Associates the socket with a token's user; on success the next handshakes present it too.
    @discardableResult
    func login(command: String, token: Token, timeout: Duration) async throws -> Acknowledgement? {
        let answer = try await request(command: command, ClientEvent.login, [.string(token.secret)], timeout: timeout)
        let acknowledgement = Acknowledgement(json: answer)
        if acknowledgement == .registered { present(token) }
        return acknowledgement
    }

    /// Leaves the socket to nobody; the next handshakes present no token.
    func logout(command: String, timeout: Duration) async throws {
        let answer = try await request(command: command, ClientEvent.logout, [], timeout: timeout)
        if Acknowledgement(json: answer) == .unregistered { present(nil) }
    }

    /// Tells an answer at the place of its acknowledgement among the events.
    private func placeAnswer() async {
        guard !requests.isEmpty else { return }
        let request = requests.removeFirst()
        try? await request.settled.wait()
        if let answer = request.answer { notices.append(.answer(command: request.command, answer)) }
    }

    /// Lets go of the connection; what follows is what follows any loss.
    func drop() async {
        guard case .listening(let link) = step else { return }
        isLetGo = true
        online.close()
        await link.close()
    }

    /// Connects now: ends the wait for the next attempt, or lets go of the connection and comes back without a wait.
    /// Does nothing to an attempt that is under way, and nothing after the end.
    func reconnect() async {
        switch step {
        case .waiting(_, let hurry): hurry.open()
        case .listening:
            isHurried = true
            await drop()
        case .idle, .connecting, .ended: break
        }
    }

    /// What the next handshakes present, from now on.
    func present(_ token: Token?) {
        credential = token
        isCredentialSpent = false
    }

    /// Ends everything, whether or not anybody still asks for notices.
    func close() async {
        if case .listening(let link) = step { await link.close() }
        if case .waiting(_, let hurry) = step { hurry.open() }
        online.close()
        apply(machine.close())
    }
}

/// A request on its way; belongs to the supervisor's isolation.
private final class PendingRequest {
    let command: String
    /// Opens when there is an answer, or will be none.
    let settled = Gate()
    var answer: JSON?

    init(command: String) {
        self.command = command
    }
}

extension ConnectionMachine.Ending: CustomStringConvertible {
    /// A whole sentence.
    var description: String {
        switch self {
        case .neverConnected(let failure): failure.description
        case .lost(let reason): reason
        case .closed: "The connection was closed as asked."
        }
    }
}
