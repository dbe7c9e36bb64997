import ModelStore
import SocketIOServer

/// All sockets that are live, by the class of what they are sent: where the log's reader finds for which classes to
/// encode (``ReceiverCensus``), and each event loop the rooms to send to (``LoopDelivery``).
struct Receivers: Sendable {
    let loops: [LoopDelivery]
    let census: ReceiverCensus

    func delivery(of socket: Socket) -> LoopDelivery { loops[socket.hub.index] }

    /// The socket is sent what its class is sent, from the next event on; on its loop.
    func enter(_ receiverClass: ReceiverClass, _ socket: Socket) {
        // In this order: the reader asks the delivery first.
        census.entered(receiverClass, on: socket.hub.index)
        socket.join(delivery(of: socket).entered(receiverClass))
    }

    func leave(_ receiverClass: ReceiverClass, _ socket: Socket) {
        if let room = delivery(of: socket).left(receiverClass) { socket.leave(room) }
        census.left(receiverClass, on: socket.hub.index)
    }
}
