import RolecallProtocol

/// What can be written after a slash.
enum SlashCommand: String, Hashable, Sendable, CaseIterable {
    case login
    case logout
    case signout
    case whoami
    case who
    case kick
    case filter
    case mute
    case only
    case search
    case goto
    case mark
    case time
    case join
    case leave
    case notify
    case copy
    case export
    case record
    case connect
    case reconnect
    case theme
    case set
    case bind
    case clear
    case ping
    case help
    case quit

    /// For the help page: what is written after it, and what it does.
    var explanation: String {
        switch self {
        case .login: "[E-MAIL] logs in; a form asks for the password"
        case .logout: "leaves this socket to nobody; the saved login stays"
        case .signout: "ends the session, and deletes the saved login"
        case .whoami: "asks the server who this socket is"
        case .who: "shows who is on"
        case .kick: "SOCKET|E-MAIL leaves a socket, or all of a user's, to nobody"
        case .filter: "QUERY shows only what it holds for, beside the other filters; off takes all of them away"
        case .mute: "MODEL|PERSON hides their events"
        case .only: "QUERY shows only what it holds for, whatever the filters were; off takes it away"
        case .search: "TEXT|QUERY searches what is shown"
        case .goto: "TIME|POSITION|MARK goes there"
        case .mark: "LETTER marks the selected line; without a letter, tells the marks"
        case .time: "clock|relative|delta|utc chooses how the list tells the time"
        case .join: "ROOM opens a room: your messages go there, and its last ones are shown"
        case .leave: "[ROOM] tells you no more of a room; your messages go to the lobby"
        case .notify:
            "QUERY rings for what it holds for; role:admin and who:NAME ring for people who come on, too. "
                + "off [NUMBER] ends it, and without a query it is listed"
        case .copy: "copies the selected event as a line of JSON"
        case .export:
            "FILE [all] [QUERY] writes the events that are shown, a JSON line each; with all, the filtered ones, too. "
                + "/export! replaces a file"
        case .record:
            "FILE writes all that comes from now on, for rolecall replay; /record off ends it, /record! replaces a file"
        case .connect: "URL leaves this server for another one"
        case .reconnect: "closes the connection and makes a new one"
        case .theme: "[dark|light|mono] chooses other colours; without a name, the next ones"
        case .set: "[NAME VALUE] sets theme, or wrap (on, off); without a name, tells what is set"
        case .bind: "CONTEXT KEY REQUEST gives a key another use; the palette (F9) has the requests' names"
        case .clear: "empties the list"
        case .ping: "measures a round trip to the server"
        case .help: "shows all keys and commands"
        case .quit: "leaves the program"
        }
    }

    /// By which other words it is looked for.
    var synonyms: String {
        switch self {
        case .login: "sign in user password"
        case .logout, .signout: "sign out leave user session"
        case .whoami: "identity me user"
        case .who: "people users online presence"
        case .filter, .mute, .only: "query hide narrow clear"
        case .search: "find grep"
        case .goto, .mark: "jump bookmark"
        case .join, .leave: "channel chat room"
        case .notify: "alert bell ring watch notification sound login"
        case .copy: "clipboard yank"
        case .export: "save write file dump history"
        case .record: "save log file capture replay history"
        case .connect, .reconnect: "server connection"
        case .theme, .set: "colours colors settings options"
        case .bind: "keys shortcuts"
        case .clear: "empty reset"
        case .ping: "latency"
        case .quit: "exit"
        default: ""
        }
    }
}

extension ScreenState {
    /// Sends what was written, or does what it commands. What can't be done stays where it was written.
    mutating func submitInput() -> [Effect] {
        let text = input.text
        guard text.contains(where: { !$0.isWhitespace }) else { return [] }
        if text.hasPrefix("/"), !text.hasPrefix("//") { return obey(String(text.dropFirst())) }
        guard connection.isOnline else {
            alarm("Not sent: there is no connection. The text waits here.")
            return []
        }
        guard user != nil else {
            alarm("Not sent: a message needs an author. F2 logs in.")
            return []
        }
        input.remember()
        return [.send(text.hasPrefix("//") ? String(text.dropFirst()) : text, room: rooms.current)]
    }

    private mutating func obey(_ text: String) -> [Effect] {
        let words = text.split(separator: " ", maxSplits: 1)
        let name = words.first.map(String.init) ?? ""
        let isForced = name.hasSuffix("!") && SlashCommand(rawValue: String(name.dropLast()))?.mayReplace == true
        guard let command = SlashCommand(rawValue: isForced ? String(name.dropLast()) : name) else {
            let near = nearest(to: name, among: SlashCommand.allCases.map(\.rawValue)) ?? "help"
            alarm("There is no command /\(name.prefix(40)). Did you mean /\(near)? (//… sends a slash.)")
            return []
        }
        let argument = words.count > 1 ? words[1].trimmingSpaces : ""
        guard argument.isEmpty || command.parameter != .none else {
            alarm("/\(name) takes nothing after it.")
            return []
        }
        if case .required(let question) = command.parameter, argument.isEmpty {
            alarm(question)
            return []
        }
        if replay != nil, command.needsServer {
            alarm(Self.noServer)
            return []
        }
        guard let effects = obey(command, argument, isForced: isForced) else { return [] }
        input.remember()
        return effects
    }

    /// - Returns: nil where the command can't be done as it stands, and stays where it was written.
    mutating func obey(_ command: SlashCommand, _ argument: String, isForced: Bool) -> [Effect]? {
        switch command {
        case .login: page = .login(LoginForm(server: server.description, email: argument))
        case .logout: return leave(.logOut)
        case .signout: askToSignOut()
        case .whoami: return [.whoami]
        case .who: return openPeople()
        case .kick: confirm("Kick \(argument.prefix(80))?", .kick(.named(argument), closes: false))
        case .filter, .only, .mute: return reduceFilterCommand(command, argument)
        case .search: reduceSearchCommand(argument)
        case .goto: return reduceGoToCommand(argument)
        case .mark: return reduceMarkCommand(argument)
        case .time: return reduceTimeCommand(argument)
        case .join: return join(argument)
        case .leave: return leaveRoom(argument)
        case .notify: return notify(argument)
        case .theme: return setTheme(argument)
        case .set: return set(argument)
        case .bind: return bind(argument)
        case .copy: return copyEvent()
        case .export: return export(argument, replacing: isForced)
        case .record: return record(argument, replacing: isForced)
        case .connect: return connect(argument)
        case .reconnect: return [.reconnect]
        case .ping: return [.measureLatency]
        case .clear:
            timeline.clear()
            unreadChat = 0
            follow()
        case .help: page = .help(HelpPage())
        case .quit: return [.quit(.done)]
        }
        return []
    }

    /// Completes a command's name as far as it is certain.
    mutating func complete() {
        let typed = String(input.text.dropFirst())
        let matches = SlashCommand.allCases.map(\.rawValue).filter { $0.hasPrefix(typed) }
        guard let first = matches.first else {
            alarm("No command begins with /\(typed.prefix(40)).")
            return
        }
        let common = matches.dropFirst().reduce(first) { common, match in
            String(zip(common, match).prefix { $0 == $1 }.map(\.0))
        }
        if matches.count > 1, common == typed {
            say(matches.map { "/\($0)" }.joined(separator: "  "))
        } else {
            input.set("/\(common)")
        }
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        let inner = drop { $0 == " " }
        return String(inner.reversed().drop { $0 == " " }.reversed())
    }
}
