import RolecallProtocol
import Synchronization
import WireJSON

@testable import RolecallClient

/// Connects as a script says: each attempt meets the next entry, and those after the last find nobody.
final class ScriptedConnector: SocketConnector {
    enum Entry: Sendable {
        case fail(ConnectFailure)
        case accept(ScriptedLink)
    }

    private let state: Mutex<(entries: [Entry], handshakes: [Handshake])>

    init(_ entries: [Entry]) {
        state = Mutex((entries, []))
    }

    convenience init(_ links: ScriptedLink...) {
        self.init(links.map(Entry.accept))
    }

    /// What the attempts said of themselves.
    var handshakes: [Handshake] { state.withLock(\.handshakes) }

    func connect(_ handshake: Handshake) async throws -> any SocketLink {
        try Task.checkCancellation()
        let entry = state.withLock { state in
            state.handshakes.append(handshake)
            return state.entries.isEmpty ? nil : state.entries.removeFirst()
        }
        switch entry {
        case .accept(let link): return link
        case .fail(let failure): throw failure
        case nil: throw ConnectFailure(kind: .unreachable, description: "Nobody is there.")
        }
    }
}

/// A connection whose arrivals a test pushes, and whose requests it answers.
final class ScriptedLink: SocketLink {
    typealias Answer = @Sendable (_ event: String, _ arguments: [JSON], ScriptedLink) async throws -> JSON

    let socketID: String
    private let pushed: AsyncStream<SocketArrival>
    private let continuation: AsyncStream<SocketArrival>.Continuation
    private let answer: Answer
    private let state = Mutex((requests: [(event: String, arguments: [JSON])](), isClosed: false))

    init(
        _ socketID: String = "S1", _ first: SocketArrival..., answer: @escaping Answer = { _, _, _ in .null }
    ) {
        self.socketID = socketID
        self.answer = answer
        (pushed, continuation) = AsyncStream.makeStream()
        for arrival in first { continuation.yield(arrival) }
    }

    var isClosed: Bool { state.withLock(\.isClosed) }
    var requests: [(event: String, arguments: [JSON])] { state.withLock(\.requests) }

    func push(_ arrivals: SocketArrival...) {
        for arrival in arrivals { continuation.yield(arrival) }
    }

    func arrivals(isolation: isolated (any Actor)?) async -> [SocketArrival] {
        await pushed.first { _ in true }.map { [$0] } ?? []
    }

    func request(_ event: String, _ arguments: [JSON], timeout: Duration) async throws -> JSON {
        guard !isClosed else { throw RequestFailure.connectionLost }
        state.withLock { $0.requests.append((event, arguments)) }
        return try await answer(event, arguments, self)
    }

    func close() async {
        let wasClosed = state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed
        }
        guard !wasClosed else { return }
        continuation.yield(.lost(reason: "This client disconnected."))
        continuation.finish()
    }
}

extension SocketArrival {
    static func model(_ event: ModelEvent) -> SocketArrival {
        .event(name: event.name, arguments: event.arguments)
    }

    static func identity(_ identity: Identity, at sequence: Int64) -> SocketArrival {
        .event(name: Identity.eventName, arguments: [identity.json, .string(position(sequence).description)])
    }

    static func gap(_ gap: Gap) -> SocketArrival {
        .event(name: Gap.eventName, arguments: [gap.json])
    }
}
