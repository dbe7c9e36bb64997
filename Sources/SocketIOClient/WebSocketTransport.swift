import EngineIO
import NIOCore
import WebSocketLink

/// Carries a session's Engine.IO packets over one WebSocket.
final class WebSocketTransport: EngineTransport, WebSocketDelegate {
    let kind = SocketIOTransport.websocket
    var owner: (any EngineTransportOwner)?
    let closed: EventLoopFuture<Void>
    /// Holds this object as its delegate; both let go when the connection has ended.
    private var connection: WebSocketConnection?

    private init(closed: EventLoopFuture<Void>) {
        self.closed = closed
    }

    /// A transport, and the last handler for the channel's pipeline, that it stands behind.
    static func make(
        on channel: any Channel, maximumMessageSize: Int
    ) -> (transport: WebSocketTransport, handler: WebSocketConnection) {
        let transport = WebSocketTransport(closed: channel.closeFuture)
        let connection = WebSocketConnection(
            role: .client, maximumMessageSize: maximumMessageSize, delegate: transport)
        transport.connection = connection
        return (transport, connection)
    }

    // MARK: The owner's side

    var isWritable: Bool { connection?.isWritable ?? false }

    /// Without a count of its own, what the channel takes is taken to leave.
    var isIdle: Bool { isWritable }

    var channel: (any Channel)? { connection?.channel }

    func send(_ frame: EngineFrame) {
        switch frame {
        case .text(let text): connection?.send(.text(text))
        case .binary(let bytes): connection?.send(.binary(bytes))
        }
    }

    func flush() {
        connection?.flush()
    }

    func pause() {
        connection?.pause()
    }

    func resume() {
        connection?.resume()
    }

    func close(violation: String?) {
        owner = nil
        connection?.close(
            code: violation == nil ? .normalClosure : .protocolError, reason: violation ?? "")
    }

    // MARK: The connection's side

    func webSocket(_ connection: WebSocketConnection, received message: WebSocketMessage) {
        switch message {
        case .binary(let bytes):
            owner?.transport(self, received: .binary(bytes))
        case .text(let text):
            do throws(EngineProtocolError) {
                owner?.transport(self, received: try EnginePacket(decodingText: text))
            } catch {
                let owner = owner
                close(violation: error.description)
                owner?.transport(self, ended: EngineEnd(.protocolViolation(error.description)))
            }
        }
    }

    func webSocketClosed(_ connection: WebSocketConnection, reason: WebSocketCloseReason) {
        self.connection = nil
        let owner = owner.take()
        owner?.transport(self, ended: EngineEnd(SocketIODisconnectReason(reason)))
    }

    func webSocketWritabilityChanged(_ connection: WebSocketConnection, writable: Bool) {
        guard writable else { return }
        owner?.transportBecameWritable(self)
    }

    func webSocketShouldQuiesce(_ connection: WebSocketConnection) {
        owner?.transportShouldQuiesce(self)
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
