import Logging
import RolecallProtocol

extension Application {
    /// Shows what happens until something of the request ends it.
    func watch(_ request: WatchRequest) async throws {
        try await withConnection(request.reconnects ? .forever : .once, after: request.after) { supervisor in
            let (expiries, continuation) = AsyncStream.makeStream(
                of: Timestamp.self, bufferingPolicy: .bufferingNewest(1))
            try await withThrowingTaskGroup(of: Bool.self) { group in
                // A task that returns true ends the watch; one that fails ends it too.
                group.addTask {
                    try await follow(supervisor, request, willExpire: continuation)
                    return true
                }
                group.addTask { await renewLogins(of: supervisor, before: expiries) }
                group.addTask { try await waitForReaderToGo() }
                if request.isControlled {
                    group.addTask { try await obey(input.lines(), supervisor) }
                }
                if let timeout = request.timeout {
                    group.addTask {
                        try await Task.sleep(for: timeout)
                        throw Failure.timedOut("The time-out of \(timeout.seconds) s is over.")
                    }
                }
                defer { group.cancelAll() }
                for try await isOver in group where isOver { return }
            }
        }
    }

    /// Waits for one match, and shows nothing else.
    func expect(_ query: Query, timeout: Duration, after: Position?) async throws {
        let failure = Failure.timedOut("Nothing matched within \(timeout.seconds) s.")
        try await within(timeout, orThrow: failure) {
            try await withConnection(.once, after: after) { supervisor in
                while let notice = await supervisor.next() {
                    if case .identity(let identity, _) = notice, identity.reason.isRefusal,
                        await supervisor.credential != nil
                    {
                        throw refusal(identity.reason)
                    }
                    if let line = notice.line(server: configuration.server), query.matches(notice) {
                        return try await console.print(line)
                    }
                }
                try Task.checkCancellation()
                throw Failure(await supervisor.ending ?? .closed)
            }
        }
    }

    /// Renews the saved login each time that it is about to expire; one that the environment gives is its owner's to
    /// renew.
    private func renewLogins(of supervisor: ConnectionSupervisor, before expiries: AsyncStream<Timestamp>) async -> Bool
    {
        for await expiry in expiries where configuration.token == nil {
            var renewal = await renewLogin(of: supervisor, at: configuration.server)
            while case .failed = renewal, .now() < expiry, (try? await Task.sleep(for: .seconds(5))) != nil {
                renewal = await renewLogin(of: supervisor, at: configuration.server)
            }
            switch renewal {
            case .renewed(let remark): if let remark { await console.say(remark) }
            case .refused(let reason), .failed(let reason):
                await console.say("The login could not be renewed: \(reason)")
            }
        }
        return false
    }

    private func follow(
        _ supervisor: ConnectionSupervisor, _ request: WatchRequest, willExpire: AsyncStream<Timestamp>.Continuation
    ) async throws {
        var shown = 0
        while let notice = await supervisor.next() {
            switch notice {
            case .duplicate(let event):
                if await supervisor.duplicates == 1 {
                    logger.warning("events come twice; they are shown once", metadata: ["first": "\(event.position)"])
                }
            case .event, .other:
                if request.query.matches(notice), let line = notice.line(server: configuration.server) {
                    try await console.print(line)
                    shown += 1
                }
            case .identity(let identity, _):
                if let line = notice.line(server: configuration.server) { try await console.print(line) }
                if identity.reason.isRefusal, await supervisor.credential != nil {
                    await console.say(refusal(identity.reason).message)
                }
            case .expiring(let expiry):
                if let line = notice.line(server: configuration.server) { try await console.print(line) }
                willExpire.yield(expiry)
            case .presence(let presence):
                let arguments = [presence.json]
                guard request.query.matches(eventName: Presence.eventName, arguments: arguments) else { break }
                if let line = notice.line(server: configuration.server) { try await console.print(line) }
            case .answer(RequestName.renewal, _): break
            case .state, .gap, .answer:
                if let line = notice.line(server: configuration.server) { try await console.print(line) }
            }
            if let until = request.until, until.matches(notice) { return }
            if let count = request.count, shown >= count { return }
        }
        try Task.checkCancellation()
        switch await supervisor.ending {
        case .neverConnected(let failure): throw Failure(failure)
        case .lost(let reason): throw Failure(.lost(reason: reason))
        case .closed, nil: return
        }
    }

    /// A reader that goes while nothing happens would be noticed only by the next line.
    private func waitForReaderToGo() async throws -> Bool {
        while !console.output.lines.isReaderGone {
            try await Task.sleep(for: .milliseconds(500))
        }
        throw ReaderGone()
    }
}

extension Query {
    /// Whether a notice is an event or an identity that the query holds for.
    fileprivate func matches(_ notice: Notice) -> Bool {
        switch notice {
        case .event(let event): matches(event, now: .now())
        case .identity(let identity, _): matches(identity)
        case .other(let name, let arguments): matches(eventName: name, arguments: arguments)
        case .state, .gap, .duplicate, .answer, .expiring, .presence: false
        }
    }
}

extension Notice {
    /// The line that tells it; nil for what is not told.
    fileprivate func line(server: ServerOrigin) -> OutputLine? {
        if case .answer(let command, let answer) = self { return .acknowledgement(command: command, answer: answer) }
        return recorded(at: server)
    }
}
