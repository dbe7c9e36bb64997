import RolecallCore
import SocketIOServer

extension MetricRegistry {
    /// What `/metrics` says of each name.
    static let help = [
        DomainMetrics.identityChanges:
            "Changes of the user that a socket belongs to, the first one included, by reason.",
        DomainMetrics.logins: "Attempts to sign in with a password, by result.",
        DomainMetrics.identityDelay:
            "From the change of a user's or session's record to the last socket that it concerns.",
        DomainMetrics.deliveryDelay:
            "From the write of an event to its delivery on the last event loop; of each batch the event that took longest.",
        DomainMetrics.sockets: "Sockets that are connected.",
        DomainMetrics.associatedSockets: "Sockets that belong to a user.",
        DomainMetrics.logPosition: "The number in the log up to which all event loops have delivered it.",
        "process_resident_memory_bytes": "Resident memory size in bytes.",
        "process_open_fds": "Number of open file descriptors.",
        SocketIOServerMetrics.refusedRequests: "Requests that were not granted a session.",
        SocketIOServerMetrics.openedSessions: "Connections that became sessions.",
        SocketIOServerMetrics.endedSessions: "Sessions that have ended.",
        SocketIOServerMetrics.violations: "Clients that broke the protocol.",
        SocketIOServerMetrics.connectedSockets: "Sockets that were connected to their namespace.",
        SocketIOServerMetrics.disconnectedSockets: "Sockets that had been connected and are gone.",
        SocketIOServerMetrics.refusedConnects: "CONNECTs that were refused.",
        SocketIOServerMetrics.missingAcknowledgements: "Acknowledgements that were asked of clients and did not come.",
        SocketIOServerMetrics.unexpectedAcknowledgements: "Acknowledgements of clients that were not asked for.",
        SocketIOServerMetrics.droppedEvents: "How often events were dropped for one socket that did not take them.",
    ]
}
