import RolecallProtocol
import Terminal

/// Drives the screen: turns what the terminal and the server tell into actions, does what follows from them, and
/// paints what changed.
///
/// The state is changed on the main actor only, one action at a time. Who brings an action waits until it is taken, so
/// that a flood of events holds up the socket and not the keys.
@MainActor
final class LiveScreen {
    private enum Job {
        case listen(LiveSession)
        case replay(Replay)
        case effect(Effect)
        case paint(at: ContinuousClock.Instant)
        case tick(at: ContinuousClock.Instant)
    }

    /// How many notices are taken before the keys have their turn: a few milliseconds' worth.
    private static let mostAtOnce = 64

    private let screen: any Screen
    private let service: LiveService
    private var state: ScreenState
    private var session: LiveSession
    /// What is shown in the place of a server.
    private let replay: Replay?
    private var recording: EventFile?
    private var pacer = FramePacer()
    private var lines = ListLineCache()
    private let opened = ContinuousClock.now
    private let jobs: AsyncStream<Job>
    private let jobQueue: AsyncStream<Job>.Continuation
    /// What goes over the socket, or changes who is logged in, in the order in which it was asked for.
    private let commands: AsyncStream<Effect>
    private let commandQueue: AsyncStream<Effect>.Continuation
    private var nextTick: ContinuousClock.Instant?
    private var nextPaint: ContinuousClock.Instant?
    private var end: ExitCode?
    private let willEnd: @MainActor (ExitCode) -> Void

    /// - Parameters:
    ///   - screen: is closed by ``run()``.
    ///   - willEnd: is told how the run will end as soon as that is known, with the terminal given back.
    init(
        screen: any Screen, service: LiveService, state: ScreenState, credential: Token?, replay: Replay? = nil,
        willEnd: @escaping @MainActor (ExitCode) -> Void = { _ in }
    ) {
        self.screen = screen
        self.service = service
        self.state = state
        self.replay = replay
        self.willEnd = willEnd
        session = service.session(at: state.server, credential: credential)
        (jobs, jobQueue) = AsyncStream.makeStream()
        (commands, commandQueue) = AsyncStream.makeStream()
    }

    /// Runs until the user leaves, a signal ends the program, or the task is cancelled; then the terminal is given back
    /// and the connection closed.
    func run() async -> ExitCode {
        // The first screen comes before anything that can take time.
        paint()
        screen.listener = { [weak self] in self?.heard($0) }
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.obey() }
                jobQueue.yield(replay.map(Job.replay) ?? .listen(session))
                for await job in jobs { group.addTask { await self.perform(job) } }
                group.cancelAll()
            }
        } onCancel: {
            jobQueue.finish()
        }
        leave(.interrupted)
        return end ?? .interrupted
    }

    // MARK: Actions

    private func apply(_ action: Action, _ change: FramePacer.Change = .routine) {
        apply(CollectionOfOne(action), change)
    }

    /// Takes actions that came together, and paints once for all of them.
    private func apply(_ actions: some Collection<Action>, _ change: FramePacer.Change = .routine) {
        let now = ContinuousClock.now
        let moment = Moment(uptime: now - opened, wall: .now())
        for action in actions {
            guard end == nil else { return }
            for effect in state.reduce(action, at: moment) { start(effect) }
        }
        guard end == nil else { return }
        obey(pacer.changed(change, at: now), change)
        scheduleTick()
    }

    private func heard(_ event: TerminalEvent) {
        switch event {
        case .key(let key): apply(.key(key), .urgent)
        case .mouse(let mouse): apply(.mouse(mouse), .urgent)
        case .paste(let paste): apply(.paste(paste), .urgent)
        case .resize(let size): apply(.resize(size), .urgent)
        case .signal(let signal): apply(.end(ExitCode(signal)))
        case .resumed: apply(.tick, .urgent)
        case .endOfInput: apply(.end(.hungUp))
        }
    }

    private func start(_ effect: Effect) {
        switch effect {
        case .repaint: screen.repaint()
        case .suspend: screen.stopProcess()
        case .bell: screen.bell()
        case .copy(let text): screen.send(.clipboard(text))
        case .notify(let title, let body): screen.send(.notification(title: title, body: body))
        case .quit(let code): leave(code)
        case .reconnect, .measureLatency, .list, .explain: jobQueue.yield(.effect(effect))
        case .export, .record, .stopRecording, .connect, .send, .join, .leave, .logIn, .logOut, .signOut,
            .signOutEverywhere,
            .renew,
            .endSession, .kick, .whoami:
            commandQueue.yield(effect)
        }
    }

    private func leave(_ code: ExitCode) {
        guard end == nil else { return }
        end = code
        screen.close()
        willEnd(code)
        commandQueue.finish()
        jobQueue.finish()
    }

    // MARK: Painting

    private func obey(_ action: FramePacer.Action, _ change: FramePacer.Change = .urgent) {
        switch action {
        case .paint:
            nextPaint = nil
            paint()
        case .wait(let until):
            // What comes at the end of a rest brings its own paint; a timer just before it would be one too many.
            let due = change == .routine ? until + .milliseconds(10) : until
            nextPaint = due
            jobQueue.yield(.paint(at: due))
        case .none: break
        }
    }

    private func paint() {
        guard end == nil else { return }
        state.now = Moment(uptime: ContinuousClock.now - opened, wall: .now())
        let frame = ScreenView.frame(state, &lines)
        screen.present(frame.cells, cursor: frame.cursor)
    }

    private func scheduleTick() {
        guard let uptime = state.nextTick else { return }
        let due = opened + uptime
        if let nextTick, nextTick <= due { return }
        nextTick = due
        jobQueue.yield(.tick(at: due))
    }

    // MARK: Jobs

    private func perform(_ job: Job) async {
        switch job {
        case .listen(let session): await listen(to: session)
        case .replay(let replay): while let item = await replay.next() { apply(.replay(item)) }
        case .effect(.reconnect): await reconnect()
        case .effect(.measureLatency): await measureLatency()
        case .effect(.list(let thing, let generation)): await list(thing, generation: generation)
        case .effect(.explain(let request)): await explain(request)
        case .effect: break
        case .paint(let due):
            guard (try? await Task.sleep(until: due, clock: .continuous)) != nil else { return }
            // It was painted since, or another time has been asked for.
            guard nextPaint == due else { return }
            obey(pacer.timerFired(at: .now))
        case .tick(let due):
            guard (try? await Task.sleep(until: due, clock: .continuous)) != nil else { return }
            // An earlier one has been asked for since.
            guard nextTick == due else { return }
            nextTick = nil
            apply(.tick)
        }
    }

    private func listen(to session: LiveSession) async {
        var rest = Duration.zero
        while true {
            let notices = await session.supervisor.nextBatch(resting: rest)
            guard !notices.isEmpty else { return }
            // What a server says that has been left is not for this list.
            guard session === self.session else { continue }
            await record(notices)
            await apply(notices, of: session)
            // A trickle of events wakes the program for each frame, not for each event. In a flood nothing waits.
            let isTrickle = notices.count < Self.mostAtOnce && notices.contains { $0.isEvent }
            rest = isTrickle ? pacer.rest(at: .now) : .zero
        }
    }

    private func apply(_ notices: [Notice], of session: LiveSession) async {
        var rest = notices[...]
        while !rest.isEmpty, session === self.session {
            apply(rest.prefix(Self.mostAtOnce).map(Action.notice))
            rest = rest.dropFirst(Self.mostAtOnce)
            // A key that was pressed meanwhile comes first.
            if !rest.isEmpty { await Task.yield() }
        }
    }

    /// The socket waits until it is written: what can't be kept up with is not lost, but comes later.
    private func record(_ notices: [Notice]) async {
        guard let file = recording else { return }
        let origin = session.origin
        let lines = notices.flatMap { notice in
            notice.recorded(at: origin).map { $0.jsonBytes + [UInt8(ascii: "\n")] } ?? []
        }
        guard !lines.isEmpty else { return }
        do {
            try await file.append(lines)
        } catch {
            guard recording === file else { return }
            recording = nil
            apply(.outcome(.recordingEnded(reason: "\(error)")))
        }
    }

    private func reconnect() async {
        if await session.supervisor.ending == nil {
            await session.supervisor.reconnect()
        } else {
            begin(service.session(at: session.origin, credential: await session.supervisor.credential))
        }
    }

    private func begin(_ session: LiveSession) {
        self.session = session
        jobQueue.yield(.listen(session))
    }

    private func measureLatency() async {
        let session = session
        let start = ContinuousClock.now
        let answer = try? await session.supervisor.request(
            command: RequestName.latency, ClientEvent.whoami, [], timeout: Application.answerTimeout)
        guard answer != nil, session === self.session else { return }
        apply(.outcome(.latency(ContinuousClock.now - start)))
    }

    private func list(_ thing: ListedThing, generation: Int) async {
        let session = session
        let outcome = await service.list(thing, generation: generation, by: session)
        guard session === self.session else { return }
        apply(.outcome(outcome))
    }

    private func explain(_ request: ExplanationRequest) async {
        let session = session
        let outcome = await service.explain(request, by: session)
        guard session === self.session else { return }
        apply(.outcome(outcome))
    }

    // MARK: Commands

    private func obey() async {
        for await command in commands {
            let outcome = await outcome(of: command)
            if let outcome { apply(.outcome(outcome)) }
        }
    }

    private func outcome(of command: Effect) async -> Outcome? {
        switch command {
        case .connect(let origin):
            let old = session
            let saved = service.savedLogin(at: origin)
            // The state learns of the other server before anything comes from there.
            apply(
                .outcome(
                    .connected(origin, isSaved: saved.token != nil, email: saved.email, remark: saved.remark)))
            begin(service.session(at: origin, credential: saved.token))
            await old.supervisor.close()
            return nil
        case .export(let path, let events, let replacing):
            return await service.export(events, to: path, replacing: replacing)
        case .record(let path, let opening, let replacing):
            switch await service.record(to: path, opening: opening, replacing: replacing) {
            case .success(let file):
                recording = file
                return .recording(path: path)
            case .failure(let fault): return .failed(command: "/record", reason: fault.description)
            }
        case .stopRecording:
            recording = nil
            return .recordingEnded(reason: nil)
        case .send(let text, let room): return await service.send(text, room: room, by: session)
        case .join(let room): return await service.visit(room, ClientEvent.join, RequestName.join, by: session)
        case .leave(let room): return await service.visit(room, ClientEvent.leave, RequestName.leave, by: session)
        case .logIn(let request):
            switch await service.logIn(request, by: session) {
            case .associated(let remark):
                return .loggedIn(request.server, staysSignedIn: request.staysSignedIn, remark: remark)
            case .elsewhere(let token, let remark):
                let old = session
                // The state learns of the other server before anything comes from there.
                apply(.outcome(.loggedIn(request.server, staysSignedIn: request.staysSignedIn, remark: remark)))
                begin(service.session(at: request.server, credential: token))
                await old.supervisor.close()
                return nil
            case .failed(let field, let reason): return .loginFailed(field, reason: reason)
            }
        case .logOut: return await service.logOut(session)
        case .signOut: return await service.signOut(session)
        case .signOutEverywhere: return await service.signOutEverywhere(session)
        case .renew:
            return .renewal(await service.application.renewLogin(of: session.supervisor, at: session.origin))
        case .endSession(let id): return await service.endSession(id, by: session)
        case .kick(let target, let closes): return await service.kick(target, closes: closes, by: session)
        case .whoami: return await service.whoami(session)
        case .reconnect, .measureLatency, .list, .explain, .repaint, .suspend, .bell, .copy, .notify, .quit: return nil
        }
    }
}

extension ExitCode {
    fileprivate init(_ signal: TerminalSignal) {
        switch signal {
        case .interrupt: self = .interrupted
        case .terminate: self = .terminated
        case .hangUp: self = .hungUp
        case .quit: self = .quit
        }
    }
}
