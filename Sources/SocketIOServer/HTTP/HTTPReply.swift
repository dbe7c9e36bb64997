import EngineIO
import NIOCore
import Synchronization

/// The answer that a request waits for, to be given once, from any event loop.
struct HTTPReply: Sendable {
    typealias ID = UInt64

    enum Response: Sendable {
        /// What the client polled for: packets in their polling form.
        case packets(ByteBuffer)
        /// Its packets were handled.
        case accepted
        case refusal(EngineError)
        /// The connection becomes a WebSocket, which may take over the session, or else is closed: a client with two for
        /// one session is told so there, as the protocol has it.
        case upgrade(isAccepted: Bool)
    }

    private static let lastID = Atomic<ID>(0)

    let id: ID
    private let gate: NIOLoopBound<HTTPGate>

    /// On the gate's event loop.
    init(gate: HTTPGate, eventLoop: any EventLoop) {
        id = Self.lastID.wrappingAdd(1, ordering: .relaxed).newValue
        self.gate = NIOLoopBound(gate, eventLoop: eventLoop)
    }

    /// - Parameter lost: called, on any event loop, if the answer could not be written.
    func answer(_ response: Response, lost: (@Sendable () -> Void)? = nil) {
        let (id, gate) = (id, gate)
        if gate.eventLoop.inEventLoop {
            gate.value.answered(id, response, lost: lost)
        } else {
            gate.eventLoop.execute { gate.value.answered(id, response, lost: lost) }
        }
    }

    func refuse(_ error: EngineError) {
        answer(.refusal(error))
    }

    func acceptDelivery() {
        answer(.accepted)
    }
}
