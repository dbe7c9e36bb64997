import RolecallProtocol

/// What is being recorded.
struct RecordingStatus: Hashable, Sendable {
    /// As it was typed.
    let path: String
    /// How many lines were written since.
    var lines = 0
}

/// A recording that is shown in the place of a server.
struct ReplayStatus: Hashable, Sendable {
    let path: String
    let pace: ReplayRequest.Pace
    var damaged = 0
    var isOver = false

    /// `replay`, `replay ×4`, `replay over`.
    func words(isUnicode: Bool) -> String {
        if isOver { return "replay over" }
        guard case .times(let speed) = pace, speed != 1 else { return "replay" }
        let figure = speed == speed.rounded() && speed < 1e6 ? "\(Int(speed))" : "\(speed)"
        return "replay \(isUnicode ? "×" : "x")\(figure)"
    }
}

/// Files of what happened: exports, recordings, and recordings that are shown again.
extension ScreenState {
    // MARK: Writing

    /// `/export FILE [all] [QUERY]`: what the tab and the filters let through, or all that there is.
    ///
    /// - Returns: nil where the command can't be done as it stands.
    mutating func export(_ argument: String, replacing: Bool) -> [Effect]? {
        guard let file = FileArgument(argument) else { return refuse("/export FILE [QUERY] needs a file's name.") }
        let words = file.rest.split(separator: " ", maxSplits: 1)
        let isAll = words.first == "all"
        let query: Query
        do {
            query = try Query(parsing: isAll ? words.dropFirst().first.map(String.init) ?? "" : file.rest)
        } catch {
            return refuse("/export: \(error.brief)")
        }
        settle()
        var events: [ModelEvent] = []
        var total = 0
        for id in timeline.ids {
            guard let line = timeline.line(id), query.matches(line, now: now.wall) else { continue }
            total += 1
            if isAll || sieve.matches(id) { events.append(line.event) }
        }
        guard !events.isEmpty else {
            return refuse(
                total > 0
                    ? "Nothing was exported: no event is shown; /export FILE all looks past the tab and the filters."
                    : "Nothing was exported: \(query.terms.isEmpty ? "the list has no events" : "no event matches").")
        }
        exporting = total
        return [.export(file.path, events, replacing: replacing)]
    }

    /// `/record FILE`, and `/record off`.
    mutating func record(_ argument: String, replacing: Bool) -> [Effect]? {
        if argument == "off" {
            guard recording != nil else { return refuse("Nothing is being recorded.") }
            return [.stopRecording]
        }
        guard let file = FileArgument(argument), file.rest.isEmpty else {
            return refuse("/record FILE, or /record off; a name with spaces in \"quotes\".")
        }
        if let recording { return refuse("\(recording.path) is being recorded; /record off ends it.") }
        var opening: [OutputLine] = []
        if case .online(let socketID) = connection.phase {
            opening.append(.state(.online(socketID: socketID), server: server))
            if let identity { opening.append(.identity(identity, nil)) }
        }
        return [.record(file.path, opening: opening, replacing: replacing)]
    }

    private mutating func refuse(_ sentence: String) -> [Effect]? {
        alarm(sentence)
        return nil
    }

    mutating func reduceFile(_ outcome: Outcome) {
        switch outcome {
        case .exported(let path, let count):
            let total = exporting ?? count
            let part = count < total ? " (of \(Words.number(total)); filtered)" : ""
            say("Exported \(Words.number(count)) event\(count == 1 ? "" : "s")\(part) to \(path).")
            exporting = nil
        case .recording(let path):
            recording = RecordingStatus(path: path)
            say("Recording to \(path); /record off ends it.")
        case .recordingEnded(let reason):
            guard let recording else { return }
            self.recording = nil
            if let reason {
                note("the recording ended: \(reason)", .alarm)
                alarm("The recording ended: \(reason)")
            } else {
                say("Recorded \(Words.count(recording.lines, "line")) to \(recording.path).")
            }
        default: break
        }
    }

    // MARK: Showing a recording

    mutating func reduce(_ item: ReplayItem) -> [Effect] {
        switch item {
        case .notice(let notice, let at, let origin):
            if let origin { server = origin }
            // What the recording tells happened by its own clock.
            let real = now.wall
            if let at { now.wall = at }
            defer { now.wall = real }
            return reduce(notice)
        case .damaged(let line, let reason):
            replay?.damaged += 1
            note("line \(line) can't be shown: \(reason)", .alarm)
        case .over(let lines, let fault):
            replay?.isOver = true
            if let fault { note("the recording can't be read further: \(fault)", .alarm) }
            let damaged = replay.map { $0.damaged > 0 ? ", \($0.damaged) of them not shown" : "" } ?? ""
            timeline.append(
                Entry(
                    time: now.wall, mark: .notice,
                    content: .divider("the recording ends here: \(Words.count(lines, "line"))\(damaged)")))
        }
        return []
    }

    /// Lets through what can be done without a server; what the user asked for beside it is told to be impossible.
    mutating func withoutServer(_ effects: [Effect], isAsked: Bool) -> [Effect] {
        let possible = effects.filter { !$0.needsServer }
        if isAsked, possible.count < effects.count { alarm(Self.noServer) }
        return possible
    }

    static let noServer = "This is a recording: there is no server to ask."
}

extension Effect {
    fileprivate var needsServer: Bool {
        switch self {
        case .repaint, .suspend, .bell, .copy, .notify, .export, .record, .stopRecording, .quit: false
        case .send, .join, .leave, .logIn, .logOut, .signOut, .signOutEverywhere, .renew, .endSession, .list, .explain,
            .kick, .whoami,
            .reconnect, .connect, .measureLatency:
            true
        }
    }
}

extension Request {
    /// Of no use where a recording is shown.
    var needsServer: Bool {
        switch self {
        case .account, .reconnect, .retryNow, .explain: true
        default: false
        }
    }
}

extension SlashCommand {
    /// What stands after the name.
    enum Parameter: Hashable, Sendable {
        case none
        case optional
        /// - Parameter question: what to say where it is missing.
        case required(question: String)
    }

    var parameter: Parameter {
        switch self {
        case .login, .filter, .mute, .only, .search, .mark, .time, .leave, .notify, .set, .theme: .optional
        case .goto: .required(question: "/goto where? A time as 14:03, a position, or a mark.")
        case .kick: .required(question: "/kick whom? Write a socket's id, or an e-mail address.")
        case .connect: .required(question: "/connect URL, as in: /connect https://rolecall.example.org")
        case .join: .required(question: "/join which room?")
        case .bind: .required(question: "/bind CONTEXT KEY REQUEST, as in: /bind list x copy-event")
        case .export: .required(question: "/export FILE [QUERY] needs a file's name.")
        case .record: .required(question: "/record FILE, or /record off.")
        case .logout, .signout, .whoami, .who, .copy, .reconnect, .clear, .ping, .help, .quit: .none
        }
    }

    /// Whether `!` may stand after the name, to replace what is there.
    var mayReplace: Bool { self == .export || self == .record }

    /// Of no use where a recording is shown.
    var needsServer: Bool {
        switch self {
        case .login, .logout, .signout, .whoami, .who, .kick, .reconnect, .connect, .ping, .join, .leave: true
        case .copy, .export, .record, .notify, .set, .theme, .bind, .clear, .help, .quit, .filter, .mute, .only,
            .search,
            .goto, .mark, .time:
            false
        }
    }
}
