import RolecallProtocol
import SocketIOServer
import WireJSON

/// The event `position`: how far the log is, for sockets that were sent nothing of it.
enum PositionNotice {
    static let eventName = "position"

    static func batch(_ position: Position) -> OutboundBatch {
        OutboundBatch([
            OutboundEvent(
                eventName, [.string(position.description)], number: position.sequence,
                folding: .init(key: eventName, digest: Newest(), order: .place))
        ])
    }

    /// The newest position is all that matters.
    private struct Newest: EventDigest {
        func followed(by newer: any EventDigest) -> any EventDigest { newer }

        func amend(_ arguments: [JSON], standingFor _: Int, within span: FoldedSpan?) -> [JSON] {
            arguments.standing(within: span)
        }
    }
}
