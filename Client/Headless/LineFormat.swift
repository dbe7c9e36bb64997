import RolecallProtocol
import WireJSON

/// Lines for people: a clock, a mark, one sentence's worth of what happened.
///
/// Marks are `+` created, `~` updated, `-` removed or hidden, `#` chat, `·` identity and connection, `!` an error, lost
/// events, or text that was made safe. Nothing foreign in a line acts on a terminal, nor ends the line.
struct LineFormat: Sendable {
    /// The most characters of an event's fields.
    static let fieldsLimit = 200

    /// The time of day, `14:03:01.204`.
    let clock: @Sendable (Timestamp) -> String

    /// - Parameter now: when the line is written; events that know their own time show that one.
    func text(_ line: OutputLine, now: Timestamp) -> String {
        var time = now
        var mark = "·"
        let foreign: String
        switch line {
        case .event(let event):
            time = Timestamp(event.at) ?? now
            (mark, foreign) = describe(event)
        case .state(let state, let server): foreign = describe(state, server: server)
        case .identity(let identity, _): foreign = describe(identity)
        case .other(let name, let arguments):
            foreign = Self.shortened("\(name)  \(arguments.map(\.description).joined(separator: " "))")
        case .gap(let gap):
            mark = "!"
            foreign = "events are lost (\(gap.reason.rawValue)); reload what matters, it goes on from \(gap.before)"
        case .expiring(let expiry): foreign = "the login expires at \(clock(expiry))"
        case .presence(let presence): foreign = describe(presence)
        case .socket(let socket): foreign = describe(socket)
        case .kicked(let socket, let user, let closes):
            let owner = UserSummary(json: user).map { " of \($0.email)" } ?? ""
            foreign = "kicked socket \(socket)\(owner)\(closes ? ", and disconnected it" : "")"
        case .error(let code, let message, let field):
            mark = "!"
            foreign = "\(code)\(field.map { " (\($0))" } ?? ""): \(message)"
        case .acknowledgement(let command, let answer):
            foreign =
                "\(command): \(answer["message"]?.stringValue ?? answer["data"]?.stringValue ?? answer.description)"
        case .row(let model, let row, _):
            foreign = "\(Self.headline(model: model, row: row))\(Self.fields(of: row) { _ in true })"
        case .removed(let model, let key):
            mark = "-"
            foreign = "\(model) \(key.plainText)"
        case .explanation(let explanation): foreign = Self.shortened(explanation.sentence)
        case .login(let user, let expiresAt, let server, let profile):
            let until = expiresAt.map { " until \($0)" } ?? ""
            foreign = "logged in at \(server) as \(user["email"]?.plainText ?? user.description)\(until) (\(profile))"
        case .logout(let hadToken, _, let server, let profile):
            foreign = "\(hadToken ? "logged out" : "no login was saved") at \(server) (\(profile))"
        }
        let safe = SafeText(foreign)
        if safe.marks > 0 {
            return "\(clock(time)) ! \(safe)  (\(safe.marks) \(safe.marks == 1 ? "character" : "characters") made safe)"
        }
        return "\(clock(time)) \(mark) \(safe)"
    }

    private func describe(_ event: ModelEvent) -> (mark: String, text: String) {
        let folded = event.folded.map { "  (\($0) events in one)" } ?? ""
        let author = event.by.map { "  by \($0.name)" } ?? ""
        if event.model == "message", event.operation == .created {
            let room = event.row["room"]?.stringValue.map { " in \($0)" } ?? ""
            let body = event.row["body"]?.plainText ?? ""
            return ("#", "\(event.by?.name ?? "somebody")\(room)  \(body)\(folded)")
        }
        let headline = Self.headline(model: event.model, row: event.row)
        switch event.operation {
        case .created: return ("+", "\(headline)\(Self.fields(of: event.row) { _ in true })\(author)\(folded)")
        case .updated:
            let changed = Set(event.changed)
            return ("~", "\(headline)\(Self.fields(of: event.row, where: changed.contains))\(author)\(folded)")
        case .removed: return ("-", "\(headline)\(author)\(folded)")
        case .hidden: return ("-", "\(headline)  no longer visible to this user\(author)\(folded)")
        }
    }

    private func describe(_ state: ConnectionState, server: ServerOrigin) -> String {
        switch state {
        case .connecting(let attempt):
            "connecting to \(server)\(attempt > 1 ? " (attempt \(attempt))" : "")"
        case .online(let socketID): "online at \(server) as socket \(socketID)"
        case .offline(let reason, let retryIn, let attempt):
            "offline: \(reason) Attempt \(attempt) follows in \(Self.rounded(retryIn)) s."
        case .closed(let reason): "closed: \(reason)"
        }
    }

    private func describe(_ identity: Identity) -> String {
        guard let user = identity.user else { return "unassociated (\(identity.reason))" }
        let until = identity.expiresAt.map { " until \(clock($0))" } ?? ""
        let teams = identity.memberships.map { ", member of \(Self.shortened($0.words))" } ?? ""
        return "\(user.email) \(user.name) (\(user.role))\(teams)\(until) (\(identity.reason))"
    }

    private func describe(_ presence: Presence) -> String {
        let who = "\(presence.name)\(presence.role.map { " (\($0))" } ?? "")"
        return presence.isOn ? "\(who) is on, \(Words.count(presence.sockets, "socket"))" : "\(who) has left"
    }

    private func describe(_ socket: SocketRecord) -> String {
        let owner = socket.user.map { "\($0.email) \($0.name) (\($0.role))" } ?? "unassociated"
        return "socket \(socket.id)  \(owner)  \(socket.transport)  \(socket.address)"
    }

    /// Model, key and what people call the row.
    private static func headline(model: String, row: JSON) -> String {
        let key = row["_id"].map { " \($0.plainText)" } ?? ""
        let name = row["name"]?.stringValue.map { " \($0)" } ?? ""
        return "\(model)\(key)\(name)"
    }

    /// The fields that the headline lacks, as `name=value`.
    private static func fields(of row: JSON, where isShown: (String) -> Bool) -> String {
        let fields = (row.objectValue ?? [:])
            .filter { $0.key != "_id" && ($0.key != "name" || row["name"]?.stringValue == nil) && isShown($0.key) }
            .map { "\($0.key)=\($0.value.plainText)" }
        return fields.isEmpty ? "" : "  \(shortened(fields.joined(separator: " ")))"
    }

    private static func shortened(_ text: String) -> String {
        text.count > fieldsLimit ? "\(text.prefix(fieldsLimit))…" : text
    }

    /// To a tenth, as in `3.4`.
    private static func rounded(_ duration: Duration) -> Double {
        (duration.seconds * 10).rounded() / 10
    }
}
