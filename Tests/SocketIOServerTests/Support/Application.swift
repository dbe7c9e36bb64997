import EngineIO
import NIOCore
import SocketIOServer
import Synchronization
import WireJSON

/// An application made of closures.
struct Application: SocketIOHandler {
    var onAdmit: @Sendable (HandshakeRequest) throws(EngineError) -> Void = { _ in }
    var onAdmitLater: @Sendable (HandshakeRequest, HandshakeRequest) throws(EngineError) -> Void = { _, _ in }
    var onConnect: @Sendable (Socket, JSON?) async throws(ConnectRefusal) -> Void = { _, _ in }
    var onEvent: @Sendable (SocketEvent, Socket) async -> [JSON] = { event, _ in event.arguments }
    /// The attachments of an event's acknowledgement.
    var onAttachments: @Sendable (SocketEvent) -> [ByteBuffer] = { _ in [] }
    var onDisconnect: @Sendable (Socket, DisconnectReason) -> Void = { _, _ in }
    var onLoss: @Sendable (LostEvents) -> (name: String, arguments: [JSON])? = { _ in nil }

    func admit(_ request: HandshakeRequest) throws(EngineError) { try onAdmit(request) }
    func admit(
        _ request: HandshakeRequest, to session: HandshakeRequest, sockets: [Socket]
    ) throws(EngineError) {
        try onAdmitLater(request, session)
    }
    func connect(_ socket: Socket, auth: JSON?) async throws(ConnectRefusal) { try await onConnect(socket, auth) }
    func received(_ event: SocketEvent, on socket: Socket) async -> SocketAcknowledgement {
        SocketAcknowledgement(await onEvent(event, socket), attachments: onAttachments(event))
    }
    func disconnected(_ socket: Socket, reason: DisconnectReason) { onDisconnect(socket, reason) }
    func notice(of lost: LostEvents, to socket: Socket) -> (name: String, arguments: [JSON])? { onLoss(lost) }
}

/// What happened, in its order, noted from any thread.
final class Journal: Sendable {
    private let storage = Mutex<[String]>([])

    var lines: [String] { storage.withLock { $0 } }
    var count: Int { storage.withLock { $0.count } }

    func note(_ line: String) {
        storage.withLock { $0.append(line) }
    }
}

/// A value that any thread may look at and replace.
final class Shared<Value: Sendable>: Sendable {
    private let storage: Mutex<Value>

    init(_ value: Value) {
        storage = Mutex(value)
    }

    var value: Value {
        get { storage.withLock { $0 } }
        set { storage.withLock { $0 = newValue } }
    }

    func change<Output: Sendable>(_ body: (inout Value) -> Output) -> Output {
        storage.withLock { body(&$0) }
    }
}

/// Holds tasks back until it is opened.
final class Latch: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    var waitingCount: Int { state.withLock { $0.waiting.count } }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    /// Lets everybody through from now on.
    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Lets one through, the one who has waited longest.
    func letOneThrough() {
        let first = state.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
        first?.resume()
    }
}
