import Foundation
import ModelStore
import RolecallProtocol
import SocketIOServer
import Synchronization

/// What this server measures of itself, beside the counters of ``SocketIOServerMetrics``.
final class ServerMetrics: Sendable {
    enum LoginResult: String, CaseIterable {
        case ok
        case invalid
        case limited
        case unavailable
    }

    let registry: MetricRegistry

    private let identityDelay: HistogramInstrument
    private let deliveryDelay: HistogramInstrument
    private let sockets: GaugeInstrument
    private let associated: GaugeInstrument
    private let logPosition: GaugeInstrument
    private let logins: [String: CounterInstrument]
    private let identityChanges: [String: CounterInstrument]
    private let otherIdentityChanges: CounterInstrument
    /// The last change of an identity that was measured: two bring each, and the first counts.
    private let measured = Atomic<Int64>(0)

    init() {
        registry = MetricRegistry(help: Self.help)
        identityDelay = registry.histogram("rolecall_identity_delay_seconds")
        deliveryDelay = registry.histogram("rolecall_delivery_delay_seconds")
        sockets = registry.gauge("rolecall_sockets")
        associated = registry.gauge("rolecall_sockets_associated")
        logPosition = registry.gauge("rolecall_log_position")
        var logins: [String: CounterInstrument] = [:]
        for result in LoginResult.allCases {
            logins[result.rawValue] = registry.counter(
                "rolecall_logins_total", [(name: "result", value: result.rawValue)])
        }
        self.logins = logins
        var changes: [String: CounterInstrument] = [:]
        for reason in Self.reasons {
            changes[reason] = registry.counter("rolecall_identity_changes_total", [(name: "reason", value: reason)])
        }
        identityChanges = changes
        otherIdentityChanges = registry.counter("rolecall_identity_changes_total", [(name: "reason", value: "other")])
        registry.reading("process_resident_memory_bytes") { Self.residentMemory }
        registry.reading("process_open_fds") { Self.openDescriptors }
    }

    // MARK: Sockets

    func socketEntered() { sockets.increment(by: 1) }

    func socketLeft(wasAssociated: Bool) {
        sockets.decrement(by: 1)
        if wasAssociated { associated.decrement(by: 1) }
    }

    func identityChanged(_ reason: IdentityReason, from wasAssociated: Bool, to isAssociated: Bool) {
        (identityChanges[reason.rawValue] ?? otherIdentityChanges).increment()
        switch (wasAssociated, isAssociated) {
        case (false, true): associated.increment(by: 1)
        case (true, false): associated.decrement(by: 1)
        case (true, true), (false, false): break
        }
    }

    func loggedIn(_ result: LoginResult) { logins[result.rawValue]?.increment() }

    // MARK: Delays

    /// All event loops hold these changes. The clock is that of the machine, and began with the write itself, by the
    /// database's own time: so the delay has in it what was left of the transaction and its commit, and the noticing.
    func identities(_ reading: IdentityFeed.Reading, areToldAt moment: Timestamp) {
        for change in reading.changes {
            guard change.sequence > measured.load(ordering: .relaxed) else { continue }
            record(from: change.at, to: moment, in: identityDelay)
        }
        measured.max(reading.last, ordering: .relaxed)
    }

    /// All event loops have been told some events.
    ///
    /// - Parameter first: when the first of them was written, and so the one that took longest; nil where there was none.
    func delivered(from first: String?, through sequence: Int64, at moment: Timestamp) {
        logPosition.set(sequence)
        if let first { record(from: first, to: moment, in: deliveryDelay) }
    }

    private func record(from text: String, to moment: Timestamp, in histogram: HistogramInstrument) {
        // Somebody's own hand may have written anything.
        guard let start = Timestamp(text) else { return }
        let (milliseconds, isOverflow) = moment.milliseconds.subtractingReportingOverflow(start.milliseconds)
        if !isOverflow { histogram.record(Double(max(0, milliseconds)) / 1000) }
    }

    // MARK: The process

    private static let pageSize = Double(sysconf(Int32(_SC_PAGESIZE)))

    /// NaN where the system does not say.
    private static var residentMemory: Double {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return .nan }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? Double(fields[1]).map { $0 * pageSize } ?? .nan : .nan
    }

    private static var openDescriptors: Double {
        guard let entries = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") else { return .nan }
        // One of them is that of the look itself.
        return Double(max(0, entries.count - 1))
    }

    private static let reasons = [
        IdentityReason.cookie, .header, .auth, .login, .anonymous, .logout, .expired, .signedOut, .passwordChanged,
        .userRemoved, .tokenInvalid, .tokenExpired, .tokenRevoked, .userUnknown, .roleChanged, .userChanged,
        IdentityReason(rawValue: "kicked"),
    ].map(\.rawValue)

    private static let help = [
        "rolecall_identity_changes_total": "Changes of who a socket belongs to, the first one included, by reason.",
        "rolecall_logins_total": "Attempts to sign in with a password, by result.",
        "rolecall_identity_delay_seconds":
            "From the change of a user's or session's record to the last socket that it concerns.",
        "rolecall_delivery_delay_seconds":
            "From the write of an event to its telling on the last event loop; of each batch the event that took longest.",
        "rolecall_sockets": "Sockets that are connected.",
        "rolecall_sockets_associated": "Sockets that belong to a user.",
        "rolecall_log_position": "The number in the log up to which all event loops have told it.",
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
        SocketIOServerMetrics.unexpectedAcknowledgements: "Acknowledgements of clients that nobody waited for.",
        SocketIOServerMetrics.droppedEvents: "How often events were dropped for one socket that did not take them.",
    ]
}
