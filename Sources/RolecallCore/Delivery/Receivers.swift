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
        socket.join(.receivers(receiverClass))
        // In this order: the reader asks the delivery first.
        census.entered(receiverClass, on: socket.hub.index)
        delivery(of: socket).entered(receiverClass)
    }

    func leave(_ receiverClass: ReceiverClass, _ socket: Socket) {
        socket.leave(.receivers(receiverClass))
        delivery(of: socket).left(receiverClass)
        census.left(receiverClass, on: socket.hub.index)
    }
}

extension Room {
    static func receivers(_ receiverClass: ReceiverClass) -> Room {
        let view = receiverClass.view
        let sees = view.owner.map { "\(view.rank):\($0)" } ?? "\(view.rank)"
        return Room("view:\(sees)\(receiverClass.interest.name.map { " \($0)" } ?? "")")
    }
}
