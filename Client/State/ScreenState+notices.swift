import RolecallProtocol
import WireJSON

/// The names of the program's own requests, by which their answers are known again.
enum RequestName {
    static let send = "send"
    static let login = "login"
    static let logout = "logout"
    static let whoami = "whoami"
    /// Measures a round trip; its answer also tells that everything missed has been told.
    static let latency = "latency"
}

extension ScreenState {
    mutating func reduce(_ notice: Notice) -> [Effect] {
        switch notice {
        case .state(let state): reduce(state)
        case .identity(let identity, _): return reduce(identity)
        case .event(let event):
            timeline.append(event, receivedAt: now.wall, arrow: isUnicode ? "→" : "->")
        case .gap(let gap): reduce(gap)
        case .other(let name, let arguments): tell(name, arguments)
        case .answer(RequestName.latency, _): settleReturn()
        case .answer(RequestName.whoami, let answer):
            if let identity = Identity(json: answer) { note("whoami: \(describe(identity))") }
        case .answer, .duplicate: break
        }
        return []
    }

    private mutating func reduce(_ state: ConnectionState) {
        let wasOnline = connection.isOnline
        switch state {
        case .connecting(let attempt): connection.phase = .connecting(attempt: attempt)
        case .online(let socketID):
            connection.phase = .online(socketID: SafeText(socketID).text)
            connection.trouble = nil
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

    private mutating func reduce(_ new: Identity) -> [Effect] {
        let isSame = identity.map { $0.user?.id == new.user?.id && $0.user?.role == new.user?.role } ?? false
        // Another user may see other rows, and other fields of the same ones.
        if !isSame { timeline.forgetVersions() }
        identity = new
        guard let lostAt = connection.lostAt else {
            tell(new)
            return [.measureLatency]
        }
        connection.lostAt = nil
        let text = "reconnected after \(Words.span(now.uptime - lostAt))"
        let entry = timeline.append(Entry(time: now.wall, mark: .notice, content: .divider(text)))
        if isSame {
            connection.comingBack = ConnectionStatus.Return(entry: entry, text: text)
        } else {
            tell(new)
        }
        return [.measureLatency]
    }

    private mutating func tell(_ identity: Identity) {
        let isAlarm = identity.reason.isRefusal || identity.reason == .expired
        note(describe(identity), isAlarm ? .alarm : .notice)
        if isAlarm { alarm("The login is no longer good (\(identity.reason)); F2 logs in.") }
    }

    private func describe(_ identity: Identity) -> String {
        guard let user = identity.user else { return "unassociated (\(identity.reason))" }
        let until = identity.expiresAt.map { ", until \(Words.clock($0))" } ?? ""
        return "you are \(user.email) (\(user.role)) by \(identity.reason)\(until)"
    }

    private mutating func reduce(_ gap: Gap) {
        timeline.forgetVersions()
        let reason =
            switch gap.reason {
            case .retention: "the server no longer holds them"
            case .overflow: "this client took them too slowly"
            case .unknown: "the server's log is another one"
            case .identity: "this user's rights changed"
            }
        note("events may be missing: \(reason)", .alarm)
        connection.comingBack?.hasGap = true
    }

    /// The server has told everything that it had to tell of the time without a connection.
    private mutating func settleReturn() {
        guard let comingBack = connection.comingBack else { return }
        connection.comingBack = nil
        let verdict = comingBack.hasGap ? "events may be missing" : "nothing missed"
        timeline.amend(comingBack.entry, "\(comingBack.text) \(isUnicode ? "·" : "-") \(verdict)")
    }

    private mutating func tell(_ name: String, _ arguments: [JSON]) {
        if name == "expiring", let text = arguments.first?["expiresAt"]?.stringValue, let at = Timestamp(text) {
            note("the login expires at \(Words.clock(at))")
            return
        }
        let text = arguments.map(\.description).joined(separator: " ")
        note("\(name.prefix(80)) \(text.prefix(400))")
    }
}

/// Figures as people read them.
enum Words {
    /// `6 s`, `3 min`, `2 h`.
    static func span(_ duration: Duration) -> String {
        let seconds = max(0, Int(clamping: duration.components.seconds))
        switch seconds {
        case ..<120: return "\(seconds) s"
        case ..<7200: return "\(seconds / 60) min"
        default: return "\(seconds / 3600) h"
        }
    }

    /// Whole seconds that are left, rounded up.
    static func countdown(_ duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        return max(0, Int(clamping: seconds) + (attoseconds > 0 ? 1 : 0))
    }

    /// `12 ms`, `1.4 s`.
    static func latency(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds =
            Int(clamping: seconds).multipliedReportingOverflow(by: 1000).partialValue
            + Int(attoseconds / 1_000_000_000_000_000)
        if milliseconds < 1000 { return "\(max(1, milliseconds)) ms" }
        return "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
    }

    /// The time of day to the minute.
    static func clock(_ time: Timestamp) -> String { String(time.localTimeOfDay.prefix(5)) }
}
