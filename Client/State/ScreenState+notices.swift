import RolecallProtocol
import WireJSON

/// The names of the program's own requests, by which their answers are known again.
enum RequestName {
    static let send = "send"
    static let join = "join"
    static let leave = "leave"
    static let login = "login"
    static let logout = "logout"
    static let whoami = "whoami"
    /// Puts a session's newer token in the place of the one before.
    static let renewal = "renewal"
    /// Measures a round trip; its answer also tells that everything missed has been told.
    static let latency = "latency"
}

extension ScreenState {
    mutating func reduce(_ notice: Notice) -> [Effect] {
        if recording != nil, notice.recorded(at: server) != nil { recording?.lines += 1 }
        switch notice {
        case .state(let state):
            reduce(state)
            // A new socket hears of all rooms.
            if case .online = state { return rooms.left.sorted().map(Effect.leave) }
        case .identity(let identity, _): return reduce(identity)
        case .expiring(let expiry): return reduce(expiring: expiry)
        case .presence(let presence): if people.received(presence, at: now.uptime) { return ring(for: presence) }
        case .event(let event):
            rooms.heard(of: event)
            if wasTold(event) { return [] }
            timeline.append(event, receivedAt: now.wall, isUnicode: isUnicode)
            meter.count(at: now.uptime)
            countUnread(event)
            // Of who has been removed presence tells only after a while.
            if event.model == "user" { people.areOutdated(at: now.uptime) }
            tellIfHidden(event)
            return ring(for: event)
        case .gap(let gap): reduce(gap)
        case .other(let name, let arguments): tell(name, arguments)
        case .answer(RequestName.latency, _): settleReturn()
        // Only now every identity of the way out has been told.
        case .answer(RequestName.logout, _): isLeaving = false
        case .answer(RequestName.renewal, let answer):
            if Acknowledgement(json: answer) == .registered { settleRenewal() }
        case .answer(RequestName.join, let answer):
            guard case .joined(let room, let history, let position) = Acknowledgement(json: answer) else { break }
            joined(room, history, at: position)
        case .answer(RequestName.leave, let answer):
            guard case .left(let room) = Acknowledgement(json: answer) else { break }
            if !rooms.left.contains(room) { left(room) }
        case .answer(RequestName.whoami, let answer):
            if let identity = Identity(json: answer) { note("whoami: \(describe(identity))") }
        case .answer, .duplicate: break
        }
        return []
    }

    /// Nobody is left to wonder where the message is that he has just sent.
    private mutating func tellIfHidden(_ event: ModelEvent) {
        guard event.model == "message", event.operation == .created, let by = event.by, by.id == user?.id else {
            return
        }
        settle()
        guard let id = timeline.lastID, !isShown(id) else { return }
        let isElsewhere = sieve.tab == .events
        say("Your message was sent; \(isElsewhere ? "it stands in the tab Chat" : "a filter hides it (F lists them)").")
    }

    private mutating func reduce(_ state: ConnectionState) {
        let wasOnline = connection.isOnline
        if wasOnline { isLeaving = false }
        switch state {
        case .connecting(let attempt): connection.phase = .connecting(attempt: attempt)
        case .online(let socketID):
            connection.phase = .online(socketID: SafeText(socketID).text)
            connection.trouble = nil
            people.forgetPresence()
        case .offline(let reason, let retryIn, let attempt):
            leaveOnline(wasOnline)
            connection.phase = .waiting(until: now.uptime + retryIn, attempt: attempt)
            if wasOnline {
                note("connection lost: \(reason)")
            } else if connection.trouble != reason {
                // The same trouble again is seen in the identity line.
                note(reason, .alarm)
            }
            connection.trouble = reason
        case .closed(let reason):
            leaveOnline(wasOnline)
            connection.phase = .closed
            note("\(reason) F5 tries again.", .alarm)
        }
    }

    private mutating func leaveOnline(_ wasOnline: Bool) {
        guard wasOnline else { return }
        connection.lostAt = now.uptime
        connection.latency = nil
        connection.measuresAt = nil
        connection.comingBack = nil
    }

    private mutating func reduce(_ gap: Gap) {
        timeline.missedVersions()
        let reason =
            switch gap.reason {
            case .retention: "the server no longer holds them"
            case .overflow: "this client took them too slowly"
            case .unknown: "the server's log is another one"
            case .identity: "this user's rights changed"
            case .missed: "the server was not told of some itself"
            }
        let models = gap.models.map { " of \($0.joined(separator: ", "))" } ?? ""
        note("events\(models) may be missing: \(reason)", .alarm)
        connection.comingBack?.hasGap = true
    }

    /// The server has told everything that it had to tell of the time without a connection.
    private mutating func settleReturn() {
        guard let comingBack = connection.comingBack else { return }
        connection.comingBack = nil
        let verdict = comingBack.hasGap ? "events may be missing" : "nothing missed"
        timeline.amend(comingBack.entry, "\(comingBack.text) \(isUnicode ? "·" : "-") \(verdict)")
        search?.askAnew()
    }

    private mutating func tell(_ name: String, _ arguments: [JSON]) {
        guard name != ServerRestart.eventName else {
            note("the server restarts; the connection comes back by itself")
            return
        }
        let text = arguments.map(\.description).joined(separator: " ")
        note("\(name.prefix(80)) \(text.prefix(400))")
    }
}
