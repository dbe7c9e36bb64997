import Logging
import NIOCore
import RolecallProtocol
import SocketIOServer
import WireJSON

/// A server's end as its sockets see it: they are sent `server_restart`, what was sent to them is taken, and they are let
/// go one after the other, so that they don't come back all at once.
struct Drain: Sendable {
    /// How many connections are let go in a second, where there is time: about as many as a server takes in again.
    private static let pace = 2000
    /// How long a client that takes nothing is waited for.
    private static let patience = TimeAmount.seconds(2)

    let server: SocketIOServer
    /// The longest time from the first to the last.
    let longest: TimeAmount
    let logger: Logger

    func run() async {
        let count = await server.socketCount()
        let window = min(longest, .milliseconds(Int64(count) * 1000 / Int64(Self.pace)))
        // Stock clients come back in a second or so after they were let go; one that listens to this can do better.
        let seconds = max(1, window.nanoseconds / 1_000_000_000 + 1)
        logger.info(
            "letting sockets go",
            metadata: ["sockets": .stringConvertible(count), "seconds": .stringConvertible(seconds)])
        server.broadcast(ServerRestart.eventName, [ServerRestart(returnWithin: seconds).json])
        await server.drain(over: window, patience: min(Self.patience, longest))
    }
}
