public import EngineIO
import NIOCore

/// What an application may tell people of a connection.
extension Socket {
    /// What carries the socket's packets at this moment; nil once it is gone.
    public var transport: EngineTransport? {
        eventLoop.preconditionInEventLoop()
        return session?.transport
    }

    /// How much waits for the client to take it, in bytes: of this socket, and of all others on its connection.
    public var queuedBytes: Int {
        eventLoop.preconditionInEventLoop()
        return session?.queuedBytes ?? 0
    }
}
