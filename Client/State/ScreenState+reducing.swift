import RolecallProtocol
import Terminal

extension ScreenState {
    /// What follows from what happens; the only thing that changes the state.
    ///
    /// - Returns: what is to be done, in this order.
    mutating func reduce(_ action: Action, at now: Moment) -> [Effect] {
        self.now = now
        defer { settle() }
        let messageBefore = message
        let effects = effects(of: action)
        // A long one takes rows of the list.
        if message != messageBefore { keepSelectionInSight() }
        guard replay != nil else { return effects }
        switch action {
        case .key, .paste, .mouse: return withoutServer(effects, isAsked: true)
        default: return withoutServer(effects, isAsked: false)
        }
    }

    private mutating func effects(of action: Action) -> [Effect] {
        switch action {
        case .key(let key): return reduce(key)
        case .paste(let paste): return reduce(paste)
        case .mouse(let mouse): return reduce(mouse)
        case .resize(let size):
            self.size = size
            // Where the pane hides the list, keys are for the pane.
            if detail.isOpen, focus == .list, Layout(self).placement == .full { focus = .detail }
            keepSelectionInSight()
            return []
        case .notice(let notice): return reduce(notice)
        case .outcome(let outcome): return reduce(outcome)
        case .replay(let item): return reduce(item)
        case .tick: return tick()
        case .end(let code): return [.quit(code)]
        }
    }

    private mutating func tick() -> [Effect] {
        guard connection.isOnline else { return [] }
        var effects = listIfDue()
        if let due = connection.measuresAt, due <= now.uptime {
            connection.measuresAt = nil
            effects.append(.measureLatency)
        }
        if case .waiting(let due) = renewal, due <= now.uptime { effects += renew() }
        return effects
    }

    private mutating func reduce(_ outcome: Outcome) -> [Effect] {
        switch outcome {
        case .latency(let latency):
            guard connection.isOnline else { return [] }
            connection.latency = latency
            connection.measuresAt = now.uptime + .seconds(30)
        case .notSent(let text, let reason):
            if input.isEmpty {
                input.set(text)
                if page == nil { focus = .input }
            }
            alarm("Not sent: \(reason)")
        case .loggedIn(let origin, let staysSignedIn, let remark):
            changeServer(to: origin)
            self.staysSignedIn = staysSignedIn
            if case .login = page { page = nil }
            if let remark { note(remark, .alarm) }
        case .loginFailed(let field, let reason):
            guard case .login(var form) = page else {
                alarm("The login failed: \(reason)")
                return []
            }
            _ = form.fail(field, reason)
            page = .login(form)
        case .connected(let origin, let isSaved, let email, let remark):
            changeServer(to: origin)
            staysSignedIn = isSaved
            lastEmail = email
            page = nil
            if let remark { note(remark, .alarm) }
            if !isSaved { openAccount() }
        case .loggedOut:
            if case .account = page { page = nil }
        case .signedOut(let sessions, let remark): signedOut(sessions, remark)
        case .notSignedOut(let reason):
            isLeaving = false
            alarm("Not signed out: \(reason)")
        case .renewal(let renewal): reduce(renewal)
        case .sessions, .sockets, .notListed: reduceListed(outcome)
        case .explained, .notExplained: reduceExplained(outcome)
        case .exported, .recording, .recordingEnded: reduceFile(outcome)
        case .sessionEnded:
            say("The session was ended.")
            return list(.sessions)
        case .kicked(let count, let name):
            if count == 0 {
                alarm("Nobody was kicked: no socket of that name is there (\(name)).")
            } else {
                say("Kicked \(Words.count(count, "socket")) (\(name)).")
            }
            return page == .people ? list(.sockets) : []
        case .failed(let command, let reason):
            alarm("\(command): \(reason)")
        }
        return []
    }

    private mutating func changeServer(to origin: ServerOrigin) {
        guard origin != server else { return }
        server = origin
        connection = ConnectionStatus()
        identity = nil
        lookAnew()
        timeline.forgetVersions()
        timeline.append(
            Entry(time: now.wall, mark: .notice, content: .divider("\(origin)")))
    }

    // MARK: Telling

    mutating func say(_ text: String) { message = Message(text: SafeText(text).text) }
    mutating func alarm(_ text: String) { message = Message(text: SafeText(text).text, isAlarm: true) }

    @discardableResult
    mutating func note(_ text: String, _ mark: Entry.Mark = .notice) -> Int {
        timeline.append(Entry(time: now.wall, mark: mark, content: .note(SafeText(text).text)))
    }
}
