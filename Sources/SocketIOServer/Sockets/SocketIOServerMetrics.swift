import CoreMetrics

/// What a ``SocketIOServer`` counts: the names of its counters, and the counters themselves.
///
/// They are made once, with all that they can be labelled with, so that one that never went up is there and says 0. The
/// factory that a server is made with decides where they go; `MetricsSystem`'s is used unless another is given, and has to
/// be installed before.
public final class SocketIOServerMetrics: Sendable {
    /// Requests that were not granted a session; label `reason`.
    public static let refusedRequests = "socketio_requests_refused_total"
    /// Connections that became sessions.
    public static let openedSessions = "socketio_sessions_opened_total"
    /// Sessions that have ended; label `reason`: a ``DisconnectReason`` with underscores for its spaces.
    public static let endedSessions = "socketio_sessions_ended_total"
    /// Clients that broke the protocol; label `violation`: a ``ProtocolViolation``.
    public static let violations = "socketio_protocol_violations_total"
    /// Sockets that were connected to their namespace.
    public static let connectedSockets = "socketio_sockets_connected_total"
    /// Sockets that had been connected and are gone; label `reason`, as for sessions.
    public static let disconnectedSockets = "socketio_sockets_disconnected_total"
    /// CONNECTs that were refused; label `reason`: `invalid_namespace`, or `refused` by the application.
    public static let refusedConnects = "socketio_connects_refused_total"
    /// Acknowledgements that were asked of clients and did not come; label `reason`: `timed_out`, `disconnected`,
    /// `not_connected`, `cancelled`, `too_many`.
    public static let missingAcknowledgements = "socketio_acknowledgements_missing_total"
    /// Acknowledgements of clients that nobody waited for: made up, sent twice, or too late.
    public static let unexpectedAcknowledgements = "socketio_acknowledgements_unexpected_total"
    /// How often events were dropped for one socket that did not take them; label `reason`: `volatile`, or `backlog` for
    /// all that waited in its queue.
    public static let droppedEvents = "socketio_events_dropped_total"

    enum ConnectRefusalReason: String, CaseIterable {
        case invalidNamespace = "invalid_namespace"
        case refused
    }

    enum DropReason: String, CaseIterable {
        case volatile
        case backlog
    }

    enum MissingReason: String, CaseIterable {
        case timedOut = "timed_out"
        case disconnected
        case notConnected = "not_connected"
        case cancelled
        case tooMany = "too_many"
    }

    private let requestsRefused: Family<RequestRefusal>
    private let sessionsOpened: Counter
    private let sessionsEnded: Family<DisconnectReason>
    private let protocolViolations: Family<ProtocolViolation>
    private let socketsConnected: Counter
    private let socketsDisconnected: Family<DisconnectReason>
    private let connectsRefused: Family<ConnectRefusalReason>
    private let acknowledgementsMissing: Family<MissingReason>
    private let acknowledgementsUnexpected: Counter
    private let eventsDropped: Family<DropReason>

    init(factory: any MetricsFactory) {
        requestsRefused = Family(Self.refusedRequests, label: "reason", factory)
        sessionsOpened = Counter(label: Self.openedSessions, factory: factory)
        sessionsEnded = Family(Self.endedSessions, label: "reason", factory)
        protocolViolations = Family(Self.violations, label: "violation", factory)
        socketsConnected = Counter(label: Self.connectedSockets, factory: factory)
        socketsDisconnected = Family(Self.disconnectedSockets, label: "reason", factory)
        connectsRefused = Family(Self.refusedConnects, label: "reason", factory)
        acknowledgementsMissing = Family(Self.missingAcknowledgements, label: "reason", factory)
        acknowledgementsUnexpected = Counter(label: Self.unexpectedAcknowledgements, factory: factory)
        eventsDropped = Family(Self.droppedEvents, label: "reason", factory)
    }

    func refused(_ refusal: RequestRefusal) { requestsRefused.increment(refusal) }
    func sessionOpened() { sessionsOpened.increment() }
    func sessionEnded(_ reason: DisconnectReason) { sessionsEnded.increment(reason) }
    func violated(_ violation: ProtocolViolation) { protocolViolations.increment(violation) }
    func socketConnected() { socketsConnected.increment() }
    func socketDisconnected(_ reason: DisconnectReason) { socketsDisconnected.increment(reason) }
    func connectRefused(_ reason: ConnectRefusalReason) { connectsRefused.increment(reason) }
    func acknowledgementUnexpected() { acknowledgementsUnexpected.increment() }
    func dropped(_ reason: DropReason) { eventsDropped.increment(reason) }

    func acknowledgementMissing(_ error: AcknowledgementError) {
        let reason: MissingReason =
            switch error {
            case .timedOut: .timedOut
            case .disconnected: .disconnected
            case .notConnected: .notConnected
            case .cancelled: .cancelled
            case .tooManyOutstanding: .tooMany
            }
        acknowledgementsMissing.increment(reason)
    }

    /// The counters of one name, by the value of their label.
    private struct Family<Value: RawRepresentable<String> & CaseIterable & Hashable>: Sendable {
        private let counters: [String: Counter]

        init(_ name: String, label: String, _ factory: any MetricsFactory) {
            var counters: [String: Counter] = [:]
            for value in Value.allCases {
                let text = String(value.rawValue.map { $0 == " " ? "_" : $0 })
                counters[value.rawValue] = Counter(label: name, dimensions: [(label, text)], factory: factory)
            }
            self.counters = counters
        }

        func increment(_ value: Value) {
            counters[value.rawValue]?.increment()
        }
    }
}
