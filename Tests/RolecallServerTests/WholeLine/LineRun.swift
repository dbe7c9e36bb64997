import Foundation
import ModelStore
import RolecallProtocol
import SocketIOClient
import TestSupport
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

/// One made-up database with its rules, served; what is done with it, and what everybody is told of that.
///
/// Nothing here asks the server's own rules: what stands in the tables and in the log is read by the database's shell,
/// and what follows from it for somebody is ``LineEyes``'s matter.
actor LineRun {
    struct Fault: Error, CustomStringConvertible {
        var description: String
    }

    /// A socket, and what its client has read beside it.
    struct Ear {
        /// Nobody's for nil.
        var account: Int?
        var socket: TestSocket
        /// Where the telling began.
        var start: Int64
        /// The newest epoch that the client has read its lists for.
        var epoch: Int64 = 0
        var lists: [Int64: [Int: LineList]] = [:]
    }

    /// A list as it was read.
    struct LineList {
        var position: Int64
        var rows: [String: LineRow]
    }

    let server: LiveServer
    let shell: SQLiteShell
    let seed: UInt64
    var world: LineWorld
    /// What stands in each table, by keys.
    var rows: [[String: LineRow]]
    /// What stood there when the triggers came.
    let first: [[String: LineRow]]
    var log: [LineEntry] = []
    /// The first rows, and what the log says has become of them.
    private var folded: [[String: LineRow]]
    var ears: [Ear] = []
    /// The ears that have to read their lists again, and after how many steps.
    private var late: [(ear: Int, steps: Int)] = []
    private var history: [String] = []
    /// The numbers that somebody could see in any state so far, up to a place in the log.
    private var seen: [LineEyes: (upTo: Int, numbers: Set<Int64>)] = [:]
    private(set) var statuses: [Int: Int] = [:]

    init(_ server: LiveServer, _ shell: SQLiteShell, seed: UInt64, _ world: LineWorld, _ rows: [[String: LineRow]]) {
        (self.server, self.shell, self.seed, self.world) = (server, shell, seed, world)
        first = rows + [[:], [:]]
        (folded, self.rows) = (first, first)
    }

    func fault(_ sentence: String) -> Fault {
        Fault(
            description: """
                seed \(seed), after \(history.suffix(4).joined(separator: "\n---\n"))
                \(sentence)
                \(world.tables.filter { !$0.isBuiltIn }.map(\.definition).joined(separator: "\n"))
                \(world.yaml)
                """)
    }

    func note(_ step: String) { history.append(step) }

    // MARK: The database

    /// Reads the tables and the log, and makes sure that the one follows from the other.
    func look() async throws {
        let after = log.last?.sequence ?? 0
        let output = try await shell.run(
            world.tables.dump
                + """
                SELECT json_array(-1, seq, model, op, "key", "before", "after", actor) FROM rolecall_events \
                WHERE seq > \(after) ORDER BY seq;
                """)
        var isRow = true
        for line in output.lines {
            guard let cells = try JSON(parsing: Array(line.utf8)).arrayValue else { continue }
            if cells.first == -1 {
                isRow = false
                try take(cells)
            } else if !isRow {
                throw fault("The shell prints out of order: \(line)")
            }
        }
        rows = try world.tables.rows(output.lines)
        for (place, table) in world.tables.enumerated() where rows[place] != folded[place] {
            throw fault("The log of \(table.model) comes to \(folded[place])\nwhere there is \(rows[place])")
        }
    }

    private func take(_ cells: [JSON]) throws {
        func parsed(_ place: Int) throws -> JSON? {
            try cells[place].stringValue.map { try JSON(parsing: Array($0.utf8)) }
        }
        guard let sequence = cells[1].integerValue, let model = cells[2].stringValue,
            let place = world.tables.firstIndex(where: { $0.model == model })
        else { return }
        let entry = LineEntry(
            sequence: sequence, model: model, key: try parsed(4)?.cell ?? "null", before: try parsed(5)?.lineRow,
            after: try parsed(6)?.lineRow, actor: try parsed(7)?.description)
        log.append(entry)
        folded[place][entry.key] = entry.after
    }

    /// What the tables would come to by a statement; nil where a constraint refuses it.
    func trial(_ statement: String) async throws -> (rows: [[String: LineRow]]?, refusal: String?) {
        let output = try await shell.run("BEGIN IMMEDIATE;\n\(statement);\n\(world.tables.dump)ROLLBACK;")
        if let refusal = output.refusals.first { return (nil, refusal) }
        return (try world.tables.rows(output.lines), nil)
    }

    // MARK: Numbers

    /// What somebody could see in any state of the tables so far, himself included.
    func numbers(for eyes: LineEyes) -> Set<Int64> {
        var (upTo, numbers) = seen[eyes] ?? (0, [])
        func see(_ row: LineRow?, _ table: LineTable) {
            for cell in (eyes.part(of: row, table) ?? [:]).values { numbers.formUnion(lineNumbers(in: cell)) }
        }
        if seen[eyes] == nil {
            for (table, rows) in zip(world.tables, first) {
                for row in rows.values { see(row, table) }
                if eyes.seesSome(of: table) { numbers.formUnion(names(in: table, for: eyes)) }
            }
        }
        for entry in log[upTo...] {
            guard let table = world.tables.first(where: { $0.model == entry.model }) else { continue }
            see(entry.before, table)
            see(entry.after, table)
        }
        seen[eyes] = (log.count, numbers)
        return numbers
    }

    /// The numbers in the names of the columns that somebody sees.
    func names(in table: LineTable, for eyes: LineEyes) -> Set<Int64> {
        table.columns.filter(eyes.sees).reduce(into: []) { $0.formUnion(lineNumbers(in: $1.name)) }
    }

    /// The numbers of the account itself.
    func own(_ account: Int?) -> Set<Int64> {
        guard let account = account.map({ world.accounts[$0] }) else { return [] }
        return lineNumbers(in: "\(account.id) \(account.email) \(account.name)")
    }

    /// Positions apart, which are no values.
    func numbers(in text: String) -> Set<Int64> {
        lineNumbers(in: text.replacingOccurrences(of: server.era.description, with: ""))
    }

    // MARK: Requests

    func eyes(_ account: Int?) -> LineEyes { account.map { world.accounts[$0].eyes } ?? .nobody }

    /// - Parameter account: nobody's for nil.
    func send(_ method: String, _ path: String, as account: Int?, _ body: JSON? = nil) async throws -> HTTPAnswer {
        var headers: [(String, String)] = []
        if let account { headers.append(("Authorization", "Bearer \(try await token(account))")) }
        let text = body?.description ?? ""
        let answer = try await server.request(method, path, headers: headers, body: text)
        note(
            "\(account.map { "\(world.accounts[$0])" } ?? "nobody"): \(method) \(path) \(text)\n-> \(answer.status) \(answer.body)"
        )
        statuses[answer.status, default: 0] += 1
        try await look()
        // Nothing but what the sender has said, or may see.
        var allowed = numbers(in: path + " " + text).union(numbers(in: path.removingPercentEncoding ?? ""))
        allowed.formUnion(own(account))
        if answer.status < 400 {
            allowed.formUnion(numbers(for: eyes(account)))
            // Who makes a row is told its key, whatever else he may see of it.
            if answer.status == 201 { allowed.formUnion(numbers(in: "\(answer.json["_id"] ?? .null)")) }
        } else {
            for table in world.tables { allowed.formUnion(names(in: table, for: eyes(account))) }
        }
        let held = numbers(in: "\(answer.headers.sorted { $0.key < $1.key }) \(answer.body)")
        guard held.isSubset(of: allowed) else { throw fault("The answer betrays \(held.subtracting(allowed)).") }
        return answer
    }

    /// The token of an account; made anew or an older one, whose role is none that he has any more.
    private func token(_ account: Int) async throws -> String {
        if let token = tokens[account], !world.isOne(in: 3) { return token }
        let user = world.accounts[account]
        let token = try await server.tokens.token(
            for: TokenAuthority.Claims(
                _id: user.id, role: world.roles[user.rank], exp: Timestamp.now.seconds + 3600, sid: nil, gen: 0))
        tokens[account] = token
        return token
    }
    private var tokens: [Int: String] = [:]

    /// What the rules say that a list is.
    func visible(_ place: Int, for eyes: LineEyes) -> [String: LineRow] {
        rows[place].compactMapValues { eyes.part(of: $0, world.tables[place]) }
    }

    /// Reads a list whole.
    func list(_ place: Int, as account: Int?) async throws -> LineList {
        let table = world.tables[place]
        let answer = try await send("GET", "/api/\(table.path)?limit=1000", as: account)
        guard answer.status == 200, let position = answer.headers["x-rolecall-position"].flatMap(Position.init) else {
            throw fault("The list of \(table.model) is refused to \(eyes(account)).")
        }
        let rows = try keyed(answer.json)
        let expected = visible(place, for: eyes(account))
        guard rows == expected else {
            throw fault("The list of \(table.model) is \(rows)\nand ought to be \(expected)")
        }
        return LineList(position: position.sequence, rows: rows)
    }

    func keyed(_ json: JSON) throws -> [String: LineRow] {
        var rows: [String: LineRow] = [:]
        for row in json.arrayValue ?? [] {
            guard let row = row.lineRow, let key = row["_id"], rows.updateValue(row, forKey: key) == nil else {
                throw fault("No list of rows with keys: \(json)")
            }
        }
        return rows
    }

    private func lists(as account: Int?) async throws -> [Int: LineList] {
        var lists: [Int: LineList] = [:]
        for (place, table) in world.tables.enumerated() where eyes(account).seesSome(of: table) {
            lists[place] = try await list(place, as: account)
        }
        return lists
    }

    // MARK: Sockets

    /// Reads all lists, lets something happen, and connects with the position at which the first of them was read.
    func connect(_ account: Int?, _ transport: SocketIOTransport) async throws {
        let lists = try await lists(as: account)
        if world.isOne(in: 2) { try await change() }
        var start = try await server.store.head().position
        for list in lists.values where list.position < start.sequence {
            start = Position(era: start.era, sequence: list.position)
        }
        var configuration = try SocketIOClientConfiguration(url: server.url)
        configuration.transports = [transport]
        configuration.connectTimeout = .seconds(60)
        var auth: JSONObject = ["after": .string(start.description)]
        if let account { auth["token"] = .string(try await token(account)) }
        configuration.auth = .object(auth)
        let socket = TestSocket(try await SocketIOConnection.connect(configuration))
        var ear = Ear(account: account, socket: socket, start: start.sequence)
        ear.epoch = try await socket.first { $0.identity?.epoch }
        ear.lists[ear.epoch] = lists
        ears.append(ear)
    }

    /// The account has changed: its sockets' clients read their lists again, at once or a little later.
    func identityChanged(_ account: Int) {
        for (place, ear) in ears.enumerated() where ear.account == account {
            late.append((place, world.isOne(in: 2) ? 0 : world.random.below(3)))
        }
    }

    /// Reads the lists that are due.
    ///
    /// - Parameter account: of this one, in any case.
    func reload(_ account: Int? = nil, everything: Bool = false) async throws {
        let due = late.filter { $0.steps == 0 || everything || ears[$0.ear].account == account }
        late = late.filter { $0.steps > 0 && !everything && ears[$0.ear].account != account }
            .map { ($0.ear, $0.steps - 1) }
        for (place, _) in due {
            guard let account = ears[place].account else { continue }
            let (user, known) = (world.accounts[account], ears[place].epoch)
            let summary = UserSummary(
                id: user.id, email: user.email, name: user.name, role: world.roles[user.rank])
            let epoch = try await ears[place].socket.first { item -> Int64? in
                item.identity.flatMap { $0.epoch > known && $0.user == summary ? $0.epoch : nil }
            }
            let lists = try await lists(as: account)
            ears[place].epoch = epoch
            ears[place].lists[epoch] = lists
        }
    }

    // MARK: The shell

    /// Something is changed by the shell.
    func change() async throws {
        let script = world.script(on: rows)
        note(script)
        try await shell.run(script)
        try await look()
    }
}

extension [LineTable] {
    /// A script that prints all rows of all tables.
    var dump: String { enumerated().map { $1.dump(as: $0) + "\n" }.joined() }

    /// All rows of all tables, by their keys.
    func rows(_ lines: [String]) throws -> [[String: LineRow]] {
        var rows: [[String: LineRow]] = map { _ in [:] }
        for line in lines {
            guard let cells = try JSON(parsing: [UInt8](line.utf8)).arrayValue,
                let place = cells.first?.integerValue.flatMap(Int.init(exactly:)), indices.contains(place)
            else { continue }
            let row = self[place].row([JSON](cells.dropFirst()))
            rows[place][row["_id"] ?? "null"] = row
        }
        return rows
    }
}
