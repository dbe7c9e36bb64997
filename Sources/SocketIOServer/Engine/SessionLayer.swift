import NIOCore

/// What speaks above an Engine.IO session. Belongs to the session's event loop.
protocol SessionLayer: AnyObject {
    /// Whether so much waits to be handled that nothing more should be read.
    var holdsUpReading: Bool { get }

    /// A message came: text without the digit of Engine.IO, or bytes.
    func received(_ message: ByteBuffer, isBinary: Bool) throws(SessionViolation)

    /// What a client is told in the place of events that were dropped; empty for nothing.
    func frame(noticing lost: LostEvents, namespace: String) -> ByteBuffer

    /// The session is over, whoever ended it; called once.
    func ended(_ reason: DisconnectReason)
}
