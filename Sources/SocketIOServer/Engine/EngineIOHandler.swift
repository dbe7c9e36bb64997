public import EngineIO
public import NIOCore
import WebSocketLink

/// What an application does with Engine.IO sessions themselves, without Socket.IO above them.
public protocol EngineIOHandler: Sendable {
    /// Judges each request before it is answered; called on its connection's event loop. All are admitted unless this
    /// is implemented.
    func admit(_ request: HandshakeRequest) throws(EngineError)

    /// A session was opened. Called on its event loop, where it is to be kept.
    func opened(_ session: EngineIOSession)

    /// A message came. Called on the session's event loop.
    func received(_ message: EngineIOMessage, on session: EngineIOSession)

    /// A session is over; called once, on its event loop.
    func closed(_ session: EngineIOSession, reason: DisconnectReason)
}

extension EngineIOHandler {
    public func admit(_ request: HandshakeRequest) throws(EngineError) {}
    public func opened(_ session: EngineIOSession) {}
    public func closed(_ session: EngineIOSession, reason: DisconnectReason) {}
}

/// A message of the layer above Engine.IO.
public enum EngineIOMessage: Sendable, Equatable {
    /// UTF-8.
    case text(ByteBuffer)
    case binary(ByteBuffer)
}

/// An Engine.IO session as its application sees it. Belongs to its event loop.
public final class EngineIOSession {
    private let session: EngineSession
    public var eventLoop: any EventLoop { session.hub.eventLoop }
    /// The request that opened the session.
    public var request: HandshakeRequest { session.request }
    /// What carries the session at this moment.
    public var transport: EngineTransport { session.transportName }

    init(_ session: EngineSession) {
        self.session = session
    }

    /// Sends a message; nothing happens once the session is over.
    public func send(_ message: EngineIOMessage) {
        eventLoop.preconditionInEventLoop()
        switch message {
        case .text(let text):
            session.send(.message(text))
        case .binary(let bytes):
            session.outbox.append(kept: WebSocketFrameWriter.binaryFrame(bytes), isBarrier: false)
        }
    }

    /// Ends the session behind what was sent.
    public func close() {
        eventLoop.preconditionInEventLoop()
        session.close(.serverDisconnect)
    }
}

@available(*, unavailable)
extension EngineIOSession: Sendable {}

/// The layer of a server that has none above its messages.
struct MessageApplication: EngineApplication {
    let handler: any EngineIOHandler

    func admit(_ request: HandshakeRequest) throws(EngineError) {
        try handler.admit(request)
    }

    func admit(_ request: HandshakeRequest, to session: EngineSession) throws(EngineError) {}

    func makeLayer(for session: EngineSession) -> any SessionLayer {
        MessageLayer(EngineIOSession(session), handler)
    }
}

private final class MessageLayer: SessionLayer {
    private let session: EngineIOSession
    private let handler: any EngineIOHandler

    init(_ session: EngineIOSession, _ handler: any EngineIOHandler) {
        self.session = session
        self.handler = handler
        handler.opened(session)
    }

    var holdsUpReading: Bool { false }

    func received(_ message: ByteBuffer, isBinary: Bool) throws(SessionViolation) {
        handler.received(isBinary ? .binary(message) : .text(message), on: session)
    }

    func frame(noticing lost: LostEvents, namespace: String) -> ByteBuffer { ByteBuffer() }

    func ended(_ reason: DisconnectReason) {
        handler.closed(session, reason: reason)
    }
}
