import RolecallProtocol

/// Who the socket is, and for how long.
extension ScreenState {
    /// How long the login lasts; nil where nobody is logged in, or for ever.
    var timeToExpiry: Duration? {
        guard identity?.user != nil, let expiry = expiry ?? identity?.expiresAt else { return nil }
        let left = expiry.milliseconds.subtractingReportingOverflow(now.wall.milliseconds)
        return left.overflow ? nil : .milliseconds(left.partialValue)
    }

    mutating func reduce(_ new: Identity) -> [Effect] {
        let old = identity
        let isSameUser = old.map { $0.user?.id == new.user?.id && $0.user?.role == new.user?.role } ?? false
        let isSame = isSameUser && old?.memberships == new.memberships
        let toldTo = isSameUser ? nil : old?.user
        // Another user, or the same one in other teams, may see other rows, and other fields of the same ones.
        if !isSame {
            timeline.changedEyes()
            lookAnew()
        }
        identity = new
        expiry = nil
        let wasRenewing = renewal != .idle
        if new.user != nil || !isSame { renewal = .idle }
        if let user = new.user {
            lastEmail = SafeText(user.email).text
        } else if new.reason == .logout || new.reason.isForGood || isLeaving {
            // Who has left by wish leaves the form to anybody, and so does who is no longer there.
            lastEmail = nil
        }
        if new.user != nil { isLeaving = false }
        // A saved login has done it.
        if new.user != nil, let old, message?.text == old.reason.advice { message = nil }
        if new.user == nil, case .account = page { page = nil }
        let effects = [.measureLatency] + listForPage()
        guard let lostAt = connection.lostAt else {
            if wasRenewing, isSame, new.user != nil, new.reason == .login {
                tellRenewal(until(new))
            } else if !(isLeaving && old?.user == nil) {
                // Of a wish to leave one line is enough, however many steps it takes.
                tell(new, before: old)
            }
            if let toldTo { tellWhose(toldTo) }
            return effects
        }
        connection.lostAt = nil
        let text = "reconnected after \(Words.span(now.uptime - lostAt))"
        let entry = timeline.append(Entry(time: now.wall, mark: .notice, content: .divider(text)))
        if isSame {
            connection.comingBack = ConnectionStatus.Return(entry: entry, text: text)
        } else {
            tell(new, before: old)
            if let toldTo { tellWhose(toldTo) }
        }
        return effects
    }

    /// What another identity was told stays in sight: it is the history of this terminal, and is told to be that.
    private mutating func tellWhose(_ user: UserSummary) {
        guard sieve.hasEvents(timeline) else { return }
        note("the events above were told to \(user.email) (\(user.role))")
    }

    /// What is shown of the server's was for other eyes.
    mutating func lookAnew() {
        generation += 1
        sessions = Listing()
        people.forget()
        confirmation = nil
        lastExplained = nil
        if case .explanation = page { page = nil }
        pageBehind = nil
        rooms.forget()
        expiry = nil
        renewal = .idle
    }

    private mutating func tell(_ identity: Identity, before: Identity?) {
        let isLoss = identity.user == nil && identity.reason.isLoss && !isLeaving
        note(describe(identity, before: before), isLoss ? .alarm : .notice)
        if isLoss { alarm(identity.reason.advice) }
    }

    func describe(_ identity: Identity, before: Identity? = nil) -> String {
        guard let user = identity.user else {
            return "unassociated: \(isLeaving ? "signed out here" : identity.reason.clause)"
        }
        let who = "you are \(user.email) (\(user.role))"
        let was = before?.user.flatMap { $0.id == user.id ? $0 : nil }
        // It is the login that ends then. Beside a change it would be read as the change's end.
        let whoUntil = was == nil ? who + until(identity) : who
        switch identity.reason {
        case .roleChanged:
            return "\(whoUntil): your role was changed\(was.map { " from \($0.role)" } ?? "")"
        case .membershipChanged:
            let change = identity.memberships.flatMap { new in before?.memberships.flatMap(new.change) }
            return "\(whoUntil): your memberships were changed\(change.map { ": \($0)" } ?? "")"
        case .userChanged:
            let name = was.flatMap { $0.name == user.name ? nil : ", your name from \($0.name) to \(user.name)" } ?? ""
            return "\(whoUntil): your account was changed\(name)"
        default: return "\(who) by \(identity.reason)\(until(identity))"
        }
    }

    private func until(_ identity: Identity) -> String {
        identity.expiresAt.map { ", until \(Words.clock($0))" } ?? ""
    }

    // MARK: Expiry

    mutating func reduce(expiring new: Timestamp) -> [Effect] {
        expiry = new
        let left = timeToExpiry.map { "in \(Words.left($0))" } ?? "soon"
        guard staysSignedIn else {
            note("the login expires \(left), at \(Words.clock(new)); F2 renews it", .alarm)
            alarm("F2 renews the login, which expires \(left).")
            return []
        }
        note("the login expires \(left), and is being renewed")
        return renew()
    }

    mutating func renew() -> [Effect] {
        guard user != nil, renewal != .underWay else { return [] }
        renewal = .underWay
        return [.renew]
    }

    /// The socket has been associated anew; an identity that told so stood before this.
    mutating func settleRenewal() {
        guard renewal == .underWay else { return }
        renewal = .idle
        expiry = nil
        tellRenewal("")
    }

    private mutating func tellRenewal(_ until: String) {
        note("the login was renewed\(until)")
        // The list is out of sight.
        if page != nil { say("The login was renewed\(until).") }
    }

    mutating func reduce(_ outcome: Renewal) {
        switch outcome {
        case .renewed(let remark): if let remark { note(remark, .alarm) }
        case .refused(let reason):
            renewal = .idle
            note("the login was not renewed: \(reason)", .alarm)
            alarm("The login was not renewed. F2 logs in.")
        case .failed(let reason):
            guard renewal == .underWay else { return }
            let mayTryAgain = timeToExpiry.map { $0 > .zero } ?? false
            renewal = mayTryAgain ? .waiting(until: now.uptime + .seconds(5)) : .idle
            alarm("The login was not renewed\(mayTryAgain ? " yet" : ""): \(reason)")
        }
    }

    // MARK: Leaving

    /// Asks to be nobody.
    mutating func leave(_ effect: Effect) -> [Effect] {
        isLeaving = effect != .logOut
        return [effect]
    }

    mutating func signedOut(_ sessions: Int?, _ remark: String?) {
        staysSignedIn = false
        if case .account = page { page = nil }
        if let remark {
            note(remark, .alarm)
        } else if let sessions {
            say("Signed out everywhere: \(Words.count(sessions, "session")) ended. The saved login was deleted.")
        } else {
            say("Signed out; the saved login was deleted.")
        }
    }
}
