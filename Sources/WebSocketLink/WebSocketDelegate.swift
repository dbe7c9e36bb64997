/// The owner of a ``WebSocketConnection``. Everything is called on the connection's event loop.
///
/// Each of these may send, flush, close or abort. The connection holds its delegate strongly until it has reported
/// its end, and then lets it go.
public protocol WebSocketDelegate: AnyObject {
    /// A whole message came. Messages come in order, and none after the end was reported or ``WebSocketConnection``
    /// was told to close.
    func webSocket(_ connection: WebSocketConnection, received message: WebSocketMessage)

    /// The connection is over; called exactly once, and last of all.
    ///
    /// The channel may still be open for a moment, to bring out what was written and the closing handshake.
    func webSocketClosed(_ connection: WebSocketConnection, reason: WebSocketCloseReason)

    /// The channel holds more (`writable` false), or again less, than its high or low water mark.
    func webSocketWritabilityChanged(_ connection: WebSocketConnection, writable: Bool)

    /// The process is about to stop; finish what is under way, then close.
    func webSocketShouldQuiesce(_ connection: WebSocketConnection)
}
