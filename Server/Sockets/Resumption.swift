import RolecallProtocol
import WireJSON

/// What a client that comes back asks to be told of what it missed, in the `auth` of its CONNECT.
///
/// There are two ways: `after`, a position, which is Rolecall's own and asks for no more than that; and `pid` with
/// `offset`, Socket.IO's connection state recovery, which stock clients do by themselves. The second is granted only to
/// whom the ticket was given; anybody else begins anew, under a new ticket, by which the client knows.
struct Resumption: Sendable {
    enum Way: Sendable, Hashable {
        case position
        case ticket(String)
    }

    /// The position, as the client has it.
    var asked: String
    var way: Way
    var start: Replay.Start

    /// - Returns: nil where nothing is asked for.
    static func find(in auth: JSON?) -> (asked: String, way: Way)? {
        if let after = auth?["after"], !after.isNull { return (after.stringValue ?? "", .position) }
        // Without an offset it was never told anything.
        guard let ticket = auth?["pid"]?.stringValue, let offset = auth?["offset"]?.stringValue else { return nil }
        return (offset, .ticket(ticket))
    }
}

/// What becomes of it, once it is known whose the socket is.
struct Resumed: Sendable {
    /// The ticket that the client gets: the one that it brought where it is told all that it missed.
    var ticket: String
    /// Where the telling begins.
    var position: Position?
    /// What can't be told.
    var gap: (asked: String, reason: Gap.Reason)?
    /// Whether the client goes on as if it had never been away.
    var isRecovered = false

    init(_ resumption: Resumption?, of user: UserSummary?, tickets: RecoveryTicket) {
        guard let resumption else {
            ticket = tickets.issue(to: user)
            return
        }
        switch (resumption.way, resumption.start) {
        case (.ticket(let brought), _) where !tickets.isGood(brought, for: user):
            ticket = tickets.issue(to: user)
        case (.ticket(let brought), .resume(let position)):
            ticket = brought
            self.position = position
            isRecovered = true
        case (.position, .resume(let position)):
            ticket = tickets.issue(to: user)
            self.position = position
        case (_, .gap(let reason)):
            ticket = tickets.issue(to: user)
            gap = (resumption.asked, reason)
        }
    }
}
