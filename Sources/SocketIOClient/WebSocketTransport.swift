import EngineIO
import NIOCore
import WebSocketLink

/// Carries a session's Engine.IO packets over one WebSocket.
///
/// The session knows nothing of what carries it beyond this type's methods; a transport by polling will have the same.
final class WebSocketTransport: WebSocketDelegate {
    private let session: SocketIOSession
    /// Holds this object as its delegate; both let go when the connection has ended.
    private var connection: WebSocketConnection?

    private init(session: SocketIOSession) {
        self.session = session
    }

    /// The last handler for the channel's pipeline, with a transport for the session behind it.
    static func makeHandler(for session: SocketIOSession, maximumMessageSize: Int) -> WebSocketConnection {
        let transport = WebSocketTransport(session: session)
        let connection = WebSocketConnection(
            role: .client, maximumMessageSize: maximumMessageSize, delegate: transport)
        transport.connection = connection
        session.attach(transport)
        return connection
    }

    // MARK: The session's side

    /// Whether what is sent leaves without piling up.
    var isWritable: Bool { connection?.isWritable ?? false }

    /// Sends a packet that is encoded as text. It leaves with the next ``flush()``.
    func send(text: ByteBuffer) {
        connection?.send(.text(text))
    }

    /// Sends a binary packet. It leaves with the next ``flush()``.
    func send(binary: ByteBuffer) {
        connection?.send(.binary(binary))
    }

    func flush() {
        connection?.flush()
    }

    /// Delivers nothing more to the session, and reads nothing more from the network, until ``resume()``.
    func pause() {
        connection?.pause()
    }

    func resume() {
        connection?.resume()
    }

    /// Sends what is queued and ends the transport; the session hears nothing more of it.
    func close(code: WebSocketCloseCode, reason: String) {
        connection?.close(code: code, reason: reason)
    }

    // MARK: The connection's side

    func webSocket(_ connection: WebSocketConnection, received message: WebSocketMessage) {
        switch message {
        case .binary(let bytes):
            session.receive(.binary(bytes))
        case .text(let text):
            do throws(EngineProtocolError) {
                session.receive(try EnginePacket(decodingText: text))
            } catch {
                session.transportEnded(.protocolViolation(error.description))
            }
        }
    }

    func webSocketClosed(_ connection: WebSocketConnection, reason: WebSocketCloseReason) {
        self.connection = nil
        session.transportEnded(SocketIODisconnectReason(reason))
    }

    func webSocketWritabilityChanged(_ connection: WebSocketConnection, writable: Bool) {
        guard writable else { return }
        session.transportBecameWritable()
    }

    func webSocketShouldQuiesce(_ connection: WebSocketConnection) {
        session.disconnect()
    }
}

extension SocketIODisconnectReason {
    fileprivate init(_ reason: WebSocketCloseReason) {
        switch reason {
        case .remote(nil, _):
            self = .transportClosed("The server closed the WebSocket.")
        case .remote(let code?, let text):
            let detail = text.isEmpty ? "" : ": \(text)"
            self = .transportClosed("The server closed the WebSocket with code \(code)\(detail).")
        case .local: self = .clientDisconnect
        case .violation(let violation): self = .protocolViolation(violation.description)
        case .endOfStream: self = .transportClosed("The connection ended without a closing handshake.")
        case .error(let text): self = .transportClosed("The connection failed: \(text)")
        }
    }
}
