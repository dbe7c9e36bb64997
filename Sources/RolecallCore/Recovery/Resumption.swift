import ModelStore
import RolecallProtocol

/// Where a client that comes back asks to go on.
///
/// There are two ways: `after`, a position, which is Rolecall's own and asks for no more than that; and `pid` with
/// `offset`, Socket.IO's connection state recovery, which stock clients do by themselves. The second is granted only to
/// the user that the ticket was given to; any other begins anew, under a new ticket, by which the client knows.
package struct ResumptionRequest: Sendable {
    package enum Way: Sendable, Hashable {
        case position
        case ticket(String)
    }

    /// The position, as the client has it.
    package var asked: String
    package var way: Way

    package init(asked: String, way: Way) {
        self.asked = asked
        self.way = way
    }
}

/// A request to resume, with what the log has to say of its position.
struct Resumption: Sendable {
    var request: ResumptionRequest
    var start: Replay.Start
}

/// What becomes of it, once the socket's user is known.
struct Resumed: Sendable {
    /// The ticket that the client gets: the one that it brought where it is sent all that it missed.
    var ticket: String
    /// Where the replay begins.
    var start: (cursor: LogCursor, folding: ClosedRange<Int64>?)?
    var position: Position? {
        start.map { Position(era: $0.cursor.era, sequence: $0.cursor.sequence, folding: $0.folding) }
    }
    /// What can't be replayed.
    var gap: (asked: String, reason: Gap.Reason)?
    /// Whether the client goes on as if it had never been away.
    var isRecovered = false

    init(_ resumption: Resumption?, of principal: Principal?, tickets: RecoveryTicket) {
        let (user, memberships) = (principal?.user, principal?.memberships ?? .none)
        guard let resumption else {
            ticket = tickets.issue(to: user, memberships: memberships)
            return
        }
        switch (resumption.request.way, resumption.start) {
        case (.ticket(let brought), _) where !tickets.isGood(brought, for: user, memberships: memberships):
            ticket = tickets.issue(to: user, memberships: memberships)
        case (.ticket(let brought), .resume(let cursor, let folding)):
            ticket = brought
            start = (cursor, folding)
            isRecovered = true
        case (.position, .resume(let cursor, let folding)):
            ticket = tickets.issue(to: user, memberships: memberships)
            start = (cursor, folding)
        case (_, .gap(let reason)):
            ticket = tickets.issue(to: user, memberships: memberships)
            gap = (resumption.request.asked, reason)
        }
    }
}
