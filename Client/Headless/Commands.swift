import ArgumentParser
import Logging
import RolecallProtocol

/// The command line's grammar. A command only says what it means, its ``verb()``; nothing runs here.
protocol VerbCommand: ParsableCommand {
    var options: GlobalOptions { get }

    /// - Throws: `ValidationError`.
    func verb() throws -> Verb
}

extension VerbCommand {
    /// Finds what is wrong while the parser still knows whose usage to show beside it.
    func validate() throws {
        _ = try Configuration(verb: verb(), options: options, environment: [:])
    }
}

struct RolecallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rolecall",
        abstract: "Live model changes and chat of a Rolecall server, as the user who is logged in.",
        discussion: """
            Without a verb it opens the live screen, or, where there is no terminal, prints the live events as lines.
            Verbs: standard output carries JSON lines, standard error what went wrong.

            Exit codes: 0 done, 1 refused or failed, 2 usage, 3 cannot connect, 4 login failed or expired, 5 time-out, \
            6 connection lost, 7 denied by role, 130 and 143 interrupted and terminated.
            """,
        version: Program.version,
        subcommands: [
            ScreenCommand.self, LoginCommand.self, LogoutCommand.self, WhoamiCommand.self, WatchCommand.self,
            ExpectCommand.self,
            SendCommand.self, CreateCommand.self, UpdateCommand.self, RemoveCommand.self, ListCommand.self,
            GetCommand.self, WhoCommand.self, KickCommand.self, ExplainCommand.self, ReplayCommand.self,
            CompletionCommand.self, ManualCommand.self,
        ],
        defaultSubcommand: ScreenCommand.self)
}

/// What every verb takes.
struct GlobalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server ($ROLECALL_SERVER, the configuration file, then http://127.0.0.1:9000).", valueName: "url"))
    var server: String?
    @Option(help: ArgumentHelp("The set of logins to use ($ROLECALL_PROFILE, then default).", valueName: "name"))
    var profile: String?
    @Flag(help: "Let a password travel over plain HTTP to another machine.")
    var insecure = false
    @Option(help: ArgumentHelp("trace, debug, info, notice, warning, error or critical.", valueName: "level"))
    var logLevel: String = "warning"
    @Option(help: ArgumentHelp("A PEM file of certificates to trust in place of the system's.", valueName: "file"))
    var cacert: String?
}

/// What the verbs take that open the screen.
struct MemoryOptions: ParsableArguments {
    @Option(help: ArgumentHelp("How many events to keep in memory.", valueName: "count"))
    var buffer: Int = 10_000

    func validate() throws {
        guard (1...1_000_000).contains(buffer) else { throw ValidationError("--buffer is from 1 to 1000000.") }
    }
}

struct ScreenCommand: VerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "screen", abstract: "Open the live screen; this is what rolecall does without a verb.",
        discussion: "F1 on the screen shows its keys. Where standard input or output is no terminal, or TERM is dumb, "
            + "the live events are printed as lines.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var memory: MemoryOptions

    func verb() throws -> Verb {
        return .screen(ScreenRequest(buffer: memory.buffer))
    }
}

struct LoginCommand: VerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Log in, and save the token for later runs.",
        discussion: "The password is asked on the terminal, or taken from standard input. $ROLECALL_TOKEN, where it "
            + "is set, wins over the saved token.")

    @OptionGroup var options: GlobalOptions
    @Option(help: "The user's e-mail address.")
    var email: String
    @Flag(help: "Take the password from the first line of standard input.")
    var passwordStdin = false

    func verb() throws -> Verb {
        guard !email.isEmpty else { throw ValidationError("--email is empty.") }
        return .login(email: email, passwordFromInput: passwordStdin)
    }
}

struct LogoutCommand: VerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "End the login's session and forget its token.")

    @OptionGroup var options: GlobalOptions

    func verb() -> Verb { .logout }
}

struct WhoamiCommand: VerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "whoami", abstract: "Connect a socket and show whom it belongs to.")

    @OptionGroup var options: GlobalOptions

    func verb() -> Verb { .whoami }
}

struct WatchCommand: VerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Show live events, for ever or until something happens.",
        discussion: """
            A query is terms that must all hold: model:thing, op:updated (created, updated, removed, hidden; save and \
            remove for two each), who:ann (who:none: made in the database, not through the server), key:12, \
            field=value, field~text, role:admin, since:5m, or a word that the row, its model or its author's name \
            contains. '-' before a term turns it round; quotes hold spaces together.

            With --control each line of standard input is a command on this very socket: /login [PROFILE], /logout, \
            /whoami, /send TEXT, /disconnect (the connection comes back), /quit. A line without a slash is sent as \
            chat, //x sends /x. A command given while there is no connection waits up to ten seconds for one.
            """)

    @OptionGroup var options: GlobalOptions
    @Argument(help: "Which events to show; all without it.")
    var query: [String] = []
    @Option(help: "Begin with the events after this position.")
    var after: String?
    @Option(help: "End after this many events were shown.")
    var count: Int?
    @Option(help: "End with the first event or identity that this query holds for, shown or not.")
    var until: String?
    @Option(help: ArgumentHelp("End after this time, with exit code 5.", valueName: "seconds"))
    var timeout: Double?
    @Flag(help: "End when the connection can't be made or is lost.")
    var noReconnect = false
    @Option(help: "json or line.")
    var format: Console.Format = .json
    @Flag(help: "Take commands from standard input.")
    var control = false

    func verb() throws -> Verb {
        var request = WatchRequest()
        request.query = try parseQuery(query.joined(separator: " "))
        request.after = try after.map { try parsePosition($0, of: "--after") }
        if let count {
            guard count > 0 else { throw ValidationError("--count has to be 1 or more.") }
            request.count = count
        }
        request.until = try until.map { try parseNonemptyQuery($0, of: "--until") }
        request.timeout = try timeout.map(parseTimeout)
        request.reconnects = !noReconnect
        request.format = format
        request.isControlled = control
        return .watch(request)
    }
}

struct ExpectCommand: VerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "expect", abstract: "Wait for one event that a query holds for, and show it.",
        discussion: "Ends with 0 at the first match, with 5 at the time-out. The query is that of watch.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "What to wait for.")
    var query: [String]
    @Option(help: ArgumentHelp("How long to wait.", valueName: "seconds"))
    var timeout: Double = 10
    @Option(help: "Begin with the events after this position.")
    var after: String?

    func verb() throws -> Verb {
        .expect(
            try parseNonemptyQuery(query.joined(separator: " "), of: "expect"), timeout: try parseTimeout(timeout),
            after: try after.map { try parsePosition($0, of: "--after") })
    }
}

struct SendCommand: VerbCommand {
    static let configuration = CommandConfiguration(commandName: "send", abstract: "Send a chat message.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "The message; - takes standard input.")
    var text: String
    @Option(help: "The room; everybody without it.")
    var room: String?

    func verb() -> Verb { .send(text: text == "-" ? nil : text, room: room) }
}

struct CreateCommand: VerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a row, and show it.", discussion: FieldAssignment.explanation)

    @OptionGroup var options: GlobalOptions
    @Argument(help: "The model, by the name that its events have.")
    var model: String
    @Argument(help: ArgumentHelp("The row's fields.", valueName: "field=value"), transform: parseField)
    var fields: [FieldAssignment] = []

    func verb() throws -> Verb { .create(model: try parseModel(model), fields) }
}

struct UpdateCommand: VerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change fields of a row, and show it.",
        discussion: FieldAssignment.explanation)

    @OptionGroup var options: GlobalOptions
    @Argument(help: "The model, by the name that its events have.")
    var model: String
    @Argument(help: "The row's _id; of a key of several columns 7,shirt.")
    var key: String
    @Argument(help: ArgumentHelp("The fields to change.", valueName: "field=value"), transform: parseField)
    var fields: [FieldAssignment]

    func verb() throws -> Verb { .update(model: try parseModel(model), key: try parseKey(key), fields) }
}

struct RemoveCommand: VerbCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Remove a row.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "The model, by the name that its events have.")
    var model: String
    @Argument(help: "The row's _id; of a key of several columns 7,shirt.")
    var key: String

    func verb() throws -> Verb { .remove(model: try parseModel(model), key: try parseKey(key)) }
}

struct ListCommand: VerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show the rows of a model.",
        discussion: "Each line has the log's position at which it was read: `watch --after` goes on from there.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "The model, by the name that its events have.")
    var model: String
    @Option(help: "At most this many rows.")
    var limit: Int?
    @Option(help: ArgumentHelp("Begin after the row of this _id.", valueName: "key"))
    var after: String?
    @Argument(
        help: ArgumentHelp("Only rows whose fields have these values.", valueName: "field=value"),
        transform: parseField)
    var fields: [FieldAssignment] = []

    func verb() throws -> Verb {
        if let limit, limit < 1 { throw ValidationError("--limit has to be 1 or more.") }
        return .list(model: try parseModel(model), limit: limit, after: after, fields)
    }
}

struct GetCommand: VerbCommand {
    static let configuration = CommandConfiguration(commandName: "get", abstract: "Show one row.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "The model, by the name that its events have.")
    var model: String
    @Argument(help: "The row's _id; of a key of several columns 7,shirt.")
    var key: String

    func verb() throws -> Verb { .get(model: try parseModel(model), key: try parseKey(key)) }
}

struct WhoCommand: VerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "who", abstract: "Show who is connected.",
        discussion: "An admin is shown every socket, a line each, and whose it is; other users who is on, and with how "
            + "many sockets, that of this command among them. Whoever is not logged in is told nothing (exit code 4).")

    @OptionGroup var options: GlobalOptions

    func verb() -> Verb { .who }
}

struct KickCommand: VerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "kick", abstract: "Leave a socket, or all of a user, to nobody (admin).",
        discussion: "The connection stays, without a user, unless --close ends it too. The user can log in again.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: ArgumentHelp("A socket's id, or a user's e-mail address.", valueName: "socket|email"))
    var name: String
    @Flag(help: "End the connection, too.")
    var close = false

    func verb() throws -> Verb {
        guard !name.isEmpty else { throw ValidationError("The name of a socket or a user is empty.") }
        return .kick(name: name, closes: close)
    }
}

struct ExplainCommand: VerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Show why a user gets an event, or does not (admin).",
        discussion:
            "Rule by rule, as the user and the rules are now. Nothing of a row is shown that the admin could not "
            + "see himself.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "The event's position, as watch shows it.")
    var position: String
    @Option(help: ArgumentHelp("Whom it is about; guest is whoever is not logged in.", valueName: "email|id|guest"))
    var user: String
    @Option(help: "json, or line for people.")
    var format: Console.Format = .json

    func verb() throws -> Verb {
        guard !user.isEmpty else { throw ValidationError("--user is empty.") }
        return .explain(try parsePosition(position, of: "explain"), user: user, format: format)
    }
}

struct ReplayCommand: VerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Show a recording on the screen, without any network.",
        discussion: "A recording is what /record on the screen writes, and what watch prints. It runs as it happened, "
            + "but no pause is longer than ten seconds. Where there is no terminal, it is printed as lines.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "The recording.", completion: .file())
    var file: String
    @Option(help: ArgumentHelp("How many times as fast as it happened.", valueName: "factor"))
    var speed: Double = 1
    @Flag(help: "All of it at once.")
    var instant = false
    @OptionGroup var memory: MemoryOptions

    func verb() throws -> Verb {
        guard !file.isEmpty else { throw ValidationError("The recording's name is empty.") }
        guard speed.isFinite, speed >= 0.01, speed <= 10_000 else {
            throw ValidationError("--speed is from 0.01 to 10000.")
        }
        return .replay(ReplayRequest(path: file, pace: instant ? .instant : .times(speed), buffer: memory.buffer))
    }
}

// MARK: - Values

extension FieldAssignment {
    static let explanation =
        "What a field takes decides what a value is: note=5 is the text 5 where notes are text, and a number where they "
        + "are numbers. A value in double quotes is the text between them, and null is nothing."
}

extension Console.Format: ExpressibleByArgument {}

@Sendable
private func parseField(_ text: String) throws -> FieldAssignment {
    guard let field = FieldAssignment(text) else { throw ValidationError("write field=value, as in active=true.") }
    return field
}

private func parseQuery(_ text: String) throws -> Query {
    do {
        return try Query(parsing: text)
    } catch {
        throw ValidationError(error.description)
    }
}

private func parseNonemptyQuery(_ text: String, of what: String) throws -> Query {
    let query = try parseQuery(text)
    guard !query.terms.isEmpty else { throw ValidationError("The query of \(what) is empty.") }
    return query
}

private func parsePosition(_ text: String, of what: String) throws -> Position {
    guard let position = Position(text) else {
        throw ValidationError("\(what) takes a position, whole, as events carry it.")
    }
    return position
}

private func parseTimeout(_ seconds: Double) throws -> Duration {
    guard seconds > 0, seconds <= 1e9 else { throw ValidationError("--timeout has to be more than 0 seconds.") }
    return .milliseconds(Int64((seconds * 1000).rounded(.up)))
}

private func parseModel(_ text: String) throws -> String {
    guard !text.isEmpty else { throw ValidationError("The model's name is empty.") }
    return text
}

private func parseKey(_ text: String) throws -> String {
    guard !text.isEmpty else { throw ValidationError("The row's _id is empty.") }
    return text
}
