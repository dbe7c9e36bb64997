import NIOCore
import WebSocketLink

/// What carries a session's frames away, as its ``Outbox`` sees it.
///
/// Whatever the transport, what it is given are whole WebSocket frames, so that those which many sessions share are
/// encoded once: polling makes packets of them at the last moment.
protocol OutboxTransport: AnyObject {
    /// Whether anything may still be sent.
    var isOpen: Bool { get }
    /// Whether frames can be offered now. Once this was false, ``awaitRoom()`` asks to be told when it is true again.
    var takesFrames: Bool { get }
    /// Whether ``offer(_:)`` may take a part of what it is given.
    var takesParts: Bool { get }
    /// Whether frames of the transport's own wait for ``flush()``: they have to go first.
    var holdsFrames: Bool { get }
    /// What was taken and has not left, in bytes. When it sinks, the client takes something.
    var queuedBytes: Int { get }

    /// Takes frames, all of them or as many bytes as it returns.
    func offer(_ frames: ByteBuffer) -> Int
    /// Takes the rest of a frame that was begun.
    func finish(_ rest: ByteBuffer)
    func flush()
    func awaitRoom()
    /// Takes frames however many wait already; for the end of a session.
    func send(encodedFrames: ByteBuffer)

    /// Reads nothing more from the client, until ``resume()``.
    func pause()
    func resume()

    /// Ends the transport behind what was sent.
    func close(code: WebSocketCloseCode, reason: String)
    /// Ends the transport at once.
    func abort()
}

extension WebSocketConnection: OutboxTransport {}
