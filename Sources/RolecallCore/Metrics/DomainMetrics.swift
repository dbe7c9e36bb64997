import CoreMetrics
import ModelStore
import RolecallProtocol
import SocketIOServer
import Synchronization

/// What the domain measures of itself, beside the counters of `SocketIOServerMetrics`: the names of its instruments, and
/// the instruments themselves.
package final class DomainMetrics: Sendable {
    /// Changes of sockets' identities, the first one included; label `reason`: an `IdentityReason`.
    package static let identityChanges = "rolecall_identity_changes_total"
    /// Attempts to sign in with a password; label `result`.
    package static let logins = "rolecall_logins_total"
    /// Seconds from the change of a user's or session's record to the last socket that it concerns.
    package static let identityDelay = "rolecall_identity_delay_seconds"
    /// Seconds from the write of an event to its delivery on the last event loop; of each batch the event that took
    /// longest.
    package static let deliveryDelay = "rolecall_delivery_delay_seconds"
    /// Sockets that are connected.
    package static let sockets = "rolecall_sockets"
    /// Sockets that belong to a user.
    package static let associatedSockets = "rolecall_sockets_associated"
    /// The number in the log up to which all event loops have delivered it.
    package static let logPosition = "rolecall_log_position"

    enum LoginResult: String, CaseIterable {
        case ok
        case invalid
        case limited
        case unavailable
    }

    private let identityDelay: Timer
    private let deliveryDelay: Timer
    private let sockets: Meter
    private let associated: Meter
    private let logPosition: Meter
    private let logins: [LoginResult: Counter]
    private let identityChanges: [IdentityReason: Counter]
    private let otherIdentityChanges: Counter
    /// Which changes of identities were measured: two readers bring each, and the first counts.
    private let measured = Mutex<IdentityCursor?>(nil)

    /// Each instrument is made at once, so that one that never went up is there and says 0.
    package init(factory: any MetricsFactory) {
        identityDelay = Timer(label: Self.identityDelay, factory: factory)
        deliveryDelay = Timer(label: Self.deliveryDelay, factory: factory)
        sockets = Meter(label: Self.sockets, factory: factory)
        associated = Meter(label: Self.associatedSockets, factory: factory)
        logPosition = Meter(label: Self.logPosition, factory: factory)
        logins = Dictionary(
            uniqueKeysWithValues: LoginResult.allCases.map { result in
                (result, Counter(label: Self.logins, dimensions: [("result", result.rawValue)], factory: factory))
            })
        func changes(_ reason: String) -> Counter {
            Counter(label: Self.identityChanges, dimensions: [("reason", reason)], factory: factory)
        }
        identityChanges = Dictionary(uniqueKeysWithValues: Self.reasons.map { ($0, changes($0.rawValue)) })
        otherIdentityChanges = changes("other")
    }

    func loggedIn(_ result: LoginResult) { logins[result]?.increment() }

    // MARK: Delays

    /// All event loops hold these changes. The clock is that of the machine, and began with the write itself, by the
    /// database's own time: so the delay has in it what was left of the transaction and its commit, and the noticing.
    func identities(_ reading: IdentityReading, holdAt moment: Timestamp) {
        let former = measured.withLock { measured in
            defer {
                if measured.map({ $0.era != reading.cursor.era || reading.cursor.covers($0) }) ?? true {
                    measured = reading.cursor
                }
            }
            return measured
        }
        for entry in reading.entries where former.map({ !$0.covers(entry.mark) }) ?? true {
            record(from: entry.at, to: moment, in: identityDelay)
        }
    }

    /// All event loops have delivered some events.
    ///
    /// - Parameter first: when the first of them was written, and so the one that took longest; nil where there was none.
    func delivered(from first: String?, through sequence: Int64, at moment: Timestamp) {
        logPosition.set(sequence)
        if let first { record(from: first, to: moment, in: deliveryDelay) }
    }

    private func record(from text: String, to moment: Timestamp, in timer: Timer) {
        // Another program may have written anything there.
        guard let start = Timestamp(text) else { return }
        let (milliseconds, isOverflow) = moment.milliseconds.subtractingReportingOverflow(start.milliseconds)
        if !isOverflow { timer.recordMilliseconds(max(0, milliseconds)) }
    }

    private static let reasons: [IdentityReason] = [
        .cookie, .header, .auth, .login, .anonymous, .logout, .expired, .signedOut, .passwordChanged, .userRemoved,
        .tokenInvalid, .tokenExpired, .tokenRevoked, .userUnknown, .roleChanged, .userChanged, .membershipChanged,
        .kicked,
    ]
}

extension DomainMetrics: IdentityObserver {
    func identityChanged(_ transition: IdentityTransition) {
        if transition.isFirst { sockets.increment() }
        (identityChanges[transition.identity.reason] ?? otherIdentityChanges).increment()
        switch (transition.former != nil, transition.identity.principal != nil) {
        case (false, true): associated.increment()
        case (true, false): associated.decrement()
        case (true, true), (false, false): break
        }
    }

    func socketEnded(_ socket: Socket, _ identity: SocketIdentity) {
        sockets.decrement()
        if identity.principal != nil { associated.decrement() }
    }
}
