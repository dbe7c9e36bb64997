import Foundation
import TestSupport
import WireJSON

/// What anybody asks of the server, and what the rules say to that.
extension LineRun {
    /// One request of somebody's, whether he may or not.
    func ask() async throws {
        let place = world.random.below(world.tables.count)
        let account = world.isOne(in: 8) ? nil : world.random.below(world.accounts.count)
        let table = world.tables[place]
        if table.model == "user" { return try await read(place, as: account) }
        switch world.random.below(8) {
        case 0...1: try await create(place, as: account)
        case 2...3: try await update(place, as: account, replaces: false)
        case 4: try await update(place, as: account, replaces: true)
        case 5: try await remove(place, as: account)
        default: try await read(place, as: account)
        }
    }

    // MARK: Reading

    private func read(_ place: Int, as account: Int?) async throws {
        let (table, eyes) = (world.tables[place], eyes(account))
        guard eyes.seesSome(of: table) else {
            let key = someKey(place)
            // Of himself everyone sees all, in another way.
            if table.model == "user", key == "\(eyes.user?.id ?? 0)" { return }
            let path = world.isOne(in: 2) ? "" : "/\(spelled(key, of: table))"
            return try expect(
                eyes.user == nil ? 401 : 403, try await send("GET", "/api/\(table.path)\(path)", as: account))
        }
        switch world.random.below(4) {
        case 0: _ = try await list(place, as: account)
        case 1: try await pages(place, as: account)
        case 2: try await filter(place, as: account)
        default:
            let key = someKey(place)
            if table.model == "user", key == "\(eyes.user?.id ?? 0)" { return }
            let answer = try await send("GET", "/api/\(table.path)/\(spelled(key, of: table))", as: account)
            let row = eyes.part(of: rows[place][key], table)
            if table.model == "user", eyes.user == nil { return try expect(401, answer) }
            try expect(row == nil ? 404 : 200, answer)
            if let row, answer.json.lineRow != row { throw fault("He sees \(row).") }
        }
    }

    /// A list by parts, each behind the last one's last key.
    private func pages(_ place: Int, as account: Int?) async throws {
        let table = world.tables[place]
        var found: [String: LineRow] = [:]
        var path = "/api/\(table.path)?limit=3"
        while true {
            let answer = try await send("GET", path, as: account).json
            let page = try keyed(answer)
            let last = answer.arrayValue?.last?["_id"]?.cell
            for (key, row) in page {
                if found.updateValue(row, forKey: key) != nil { throw fault("\(key) comes twice.") }
            }
            guard page.count == 3, let last else { break }
            path = "/api/\(table.path)?limit=3&after=\(spelled(last, of: table))"
        }
        guard found == visible(place, for: eyes(account)) else { throw fault("The pages hold \(found).") }
    }

    /// A list of rows that have some value; one that he does not see can't be asked for.
    private func filter(_ place: Int, as account: Int?) async throws {
        let (table, eyes) = (world.tables[place], eyes(account))
        let columns = table.columns.filter { column in
            switch column.kind {
            case .mark, .code, .ownerEmail, .text, .key: true
            default: false
            }
        }
        let column = world.one(of: columns)
        guard let row = rows[place].sorted(by: { $0.key < $1.key }).randomElement(using: &world.random)?.value else {
            return
        }
        let cell = row[table.told(column)] ?? "\"nothing\""
        let text: String
        switch LineValue(cell: cell) {
        case .text(let value) where column.isText: text = value
        case .integer(let value) where !column.isText: text = String(value)
        default: return
        }
        let name = table.told(column)
        let answer = try await send(
            "GET", "/api/\(table.path)?\(encoded(name))=\(encoded(text))&limit=1000", as: account)
        guard eyes.sees(column) else { return try expect(422, answer) }
        try expect(200, answer)
        let expected = visible(place, for: eyes).filter { row in
            guard let own = row.value[name] else { return false }
            // A collation of the column finds more.
            return own == cell || column.declaration.contains("NOCASE") && own.lowercased() == cell.lowercased()
        }
        guard try keyed(answer.json) == expected else { throw fault("The filter finds \(expected).") }
    }

    // MARK: Writing

    private func create(_ place: Int, as account: Int?) async throws {
        let (table, eyes) = (world.tables[place], eyes(account))
        let body = body(of: table, eyes, isNew: true)
        let (status, after) = try await creation(body, place, account)
        let before = rows
        let answer = try await send("POST", "/api/\(table.path)", as: account, body.json)
        try expect(status, answer)
        try compare(after ?? before)
        guard status == 201 else { return }
        guard let key = Set(rows[place].keys).subtracting(before[place].keys).first, let row = rows[place][key] else {
            throw fault("Nothing has been made.")
        }
        let told = eyes.part(of: row, table) ?? ["_id": key]
        guard answer.json.lineRow == told else { throw fault("He has made \(told).") }
    }

    /// The status that a creation ought to get, and what the tables come to.
    private func creation(
        _ body: Body, _ place: Int, _ account: Int?
    ) async throws -> (Int, [[String: LineRow]]?) {
        let (table, eyes) = (world.tables[place], eyes(account))
        guard let account else { return (401, nil) }
        guard eyes.reaches(table.create) else { return (403, nil) }
        if body.isWrong(in: table, for: eyes, isNew: true) { return (422, nil) }
        for column in table.columns where column.isRequired && table.stamps[column.name] == nil && !column.isSecret {
            if body.fields.contains(where: { $0.name == table.told(column) }) { continue }
            return (eyes.sees(column) ? 422 : 403, nil)
        }
        if body.namesGenerated(in: table) { return (422, nil) }
        var values = body.values(in: table)
        let user = world.accounts[account]
        for (column, stamp) in table.stamps {
            switch stamp {
            case .authorID: values.append((column, .integer(user.id)))
            case .authorName: values.append((column, .text(user.name)))
            case .now: values.append((column, .text("now")))
            }
        }
        let names = values.map { "\"\($0.column)\"" }.joined(separator: ", ")
        let list = values.map(\.value.sql).joined(separator: ", ")
        let (after, refusal) = try await trial(
            values.isEmpty
                ? "INSERT INTO \(table.sqlName) DEFAULT VALUES"
                : "INSERT INTO \(table.sqlName)(\(names)) VALUES (\(list))")
        if let refusal { return (Self.status(of: refusal), nil) }
        let made = after.map { after in after[place].filter { rows[place][$0.key] == nil } }
        guard let row = made?.first?.value, eyes.grants(table.create, row, of: table) else { return (403, nil) }
        return (201, after)
    }

    private func update(_ place: Int, as account: Int?, replaces: Bool) async throws {
        let (table, eyes) = (world.tables[place], eyes(account))
        let key = someKey(place)
        var body = body(of: table, eyes, isNew: false)
        if world.isOne(in: 8) {
            body.fields.append((name: "_id", value: LineValue(cell: key), isBroken: false))
        } else if world.isOne(in: 20) {
            body.fields.append((name: "_id", value: .text("other"), isBroken: false))
        }
        let (status, after) = try await change(body, place, key, account, replaces)
        let before = rows
        let answer = try await send(
            replaces ? "PUT" : "PATCH", "/api/\(table.path)/\(spelled(key, of: table))", as: account, body.json)
        try expect(status, answer)
        try compare(after ?? before)
        guard status == 200 else { return }
        let told = eyes.part(of: rows[place][key], table) ?? ["_id": key]
        guard answer.json.lineRow == told else { throw fault("He has made it \(told).") }
    }

    /// The status that a change ought to get, and what the tables come to.
    private func change(
        _ body: Body, _ place: Int, _ key: String, _ account: Int?, _ replaces: Bool
    ) async throws -> (Int, [[String: LineRow]]?) {
        let (table, eyes) = (world.tables[place], eyes(account))
        guard account != nil else { return (401, nil) }
        if let id = body.fields.first(where: { $0.name == "_id" }), id.value.json.cell != key { return (422, nil) }
        if body.isWrong(in: table, for: eyes, isNew: false) { return (422, nil) }
        var values = body.values(in: table).filter { !table.keys.contains($0.column) }
        // A row that is not there has no parts to compare with; they stand in its key's text.
        if table.hasCompositeKey,
            body.fields.contains(where: { field in
                guard let column = table.column(told: field.name), column.isKey else { return false }
                return field.value.json.cell != part(column, of: key, table)
            })
        {
            return (422, nil)
        }
        if replaces {
            for column in table.columns where !table.keys.contains(column.name) && eyes.writes(column, of: table) {
                if body.fields.contains(where: { $0.name == table.told(column) }) || column.isRowID { continue }
                if column.isRequired { return (422, nil) }
                if column.isNullable, !column.isGenerated { values.append((column.name, .null)) }
            }
        }
        guard let row = rows[place][key], eyes.part(of: row, table) != nil else { return (404, nil) }
        guard eyes.grants(table.update, row, of: table) else { return (403, nil) }
        if body.namesGenerated(in: table) { return (422, nil) }
        guard !values.isEmpty else { return (200, rows) }
        let list = values.map { "\"\($0.column)\" = \($0.value.sql)" }.joined(separator: ", ")
        let (after, refusal) = try await trial(
            "UPDATE \(table.sqlName) SET \(list) WHERE \(world.isRow(row, of: table))")
        if let refusal { return (Self.status(of: refusal), nil) }
        guard let made = after?[place][key], eyes.grants(table.update, made, of: table) else { return (403, nil) }
        return (200, after)
    }

    private func remove(_ place: Int, as account: Int?) async throws {
        let (table, eyes) = (world.tables[place], eyes(account))
        let key = someKey(place)
        var (status, after): (Int, [[String: LineRow]]?) = (204, nil)
        if account == nil {
            status = 401
        } else if let row = rows[place][key], eyes.part(of: row, table) != nil {
            let (trial, refusal) = try await trial("DELETE FROM \(table.sqlName) WHERE \(world.isRow(row, of: table))")
            after = trial
            if !eyes.grants(table.remove, row, of: table) {
                (status, after) = (403, nil)
            } else if let refusal {
                status = Self.status(of: refusal)
            }
        } else {
            status = 404
        }
        let before = rows
        let answer = try await send("DELETE", "/api/\(table.path)/\(spelled(key, of: table))", as: account)
        try expect(status, answer)
        try compare(after ?? before)
    }

    // MARK: Parts

    /// What a request says of a row.
    struct Body {
        var fields: [(name: String, value: LineValue, isBroken: Bool)] = []

        var json: JSON {
            var object = JSONObject()
            for field in fields { object[field.name] = field.isBroken ? [1] : field.value.json }
            return .object(object)
        }

        /// Whether it names what is not there for him, or is no value of its column.
        func isWrong(in table: LineTable, for eyes: LineEyes, isNew: Bool) -> Bool {
            fields.contains { field in
                if field.name == "_id", !isNew { return false }
                guard let column = table.column(told: field.name), eyes.writes(column, of: table) else { return true }
                if table.keys == [column.name], !column.isRequired { return true }
                return field.isBroken || field.value == .null && !column.isNullable
            }
        }

        func namesGenerated(in table: LineTable) -> Bool {
            fields.contains { table.column(told: $0.name)?.isGenerated ?? false }
        }

        func values(in table: LineTable) -> [(column: String, value: LineValue)] {
            fields.compactMap { field in table.column(told: field.name).map { ($0.name, field.value) } }
        }
    }

    private func body(of table: LineTable, _ eyes: LineEyes, isNew: Bool) -> Body {
        var body = Body()
        for column in table.columns {
            let isGiven: Bool
            switch column.kind {
            case .key where column.isRowID: isGiven = isNew && world.isOne(in: 20)
            case .key: isGiven = isNew ? !world.isOne(in: 20) : table.hasCompositeKey && world.isOne(in: 12)
            case .generated: isGiven = world.isOne(in: 30)
            case _ where column.isRowID: isGiven = world.isOne(in: 6)
            case _ where !eyes.writes(column, of: table): isGiven = world.isOne(in: 10)
            case _ where column.isRequired && isNew: isGiven = !world.isOne(in: 20)
            default: isGiven = world.isOne(in: 2)
            }
            guard isGiven else { continue }
            let value = column.isRowID ? world.rowID() : world.value(of: column, in: rows)
            body.fields.append((name: table.told(column), value: value, isBroken: world.isOne(in: 60)))
        }
        if world.isOne(in: 40) { body.fields.append((name: "nothing", value: .null, isBroken: false)) }
        return body
    }

    private static func status(of refusal: String) -> Int {
        refusal.contains("UNIQUE constraint") || refusal.contains("FOREIGN KEY constraint") ? 409 : 422
    }

    /// A row's, or that of no row.
    private func someKey(_ place: Int) -> String {
        let keys = rows[place].keys.sorted()
        guard !keys.isEmpty, !world.isOne(in: 12) else {
            let table = world.tables[place]
            let parts = table.keys.map { name in
                let isText = table.columns.first { $0.name == name }?.isText ?? false
                return isText ? JSON.string("k\(world.number())") : .integer(world.number())
            }
            return table.hasCompositeKey ? JSON.string(JSON.array(parts).description).description : parts[0].description
        }
        return world.one(of: keys)
    }

    private func part(_ column: LineColumn, of key: String, _ table: LineTable) -> String? {
        guard case .text(let text) = LineValue(cell: key), let parts = try? JSON(parsing: Array(text.utf8)),
            let place = table.keys.firstIndex(of: column.name)
        else { return nil }
        return parts[place]?.cell
    }

    /// A key as a path has it; one of several columns in either way.
    private func spelled(_ key: String, of table: LineTable) -> String {
        switch LineValue(cell: key) {
        case .integer(let value): return String(value)
        case .text(let text):
            guard table.hasCompositeKey, let parts = try? JSON(parsing: Array(text.utf8)).arrayValue,
                !text.dropFirst().contains("["), world.isOne(in: 2)
            else { return encoded(text) }
            let texts = parts.map { $0.stringValue ?? $0.description }
            return texts.contains { $0.contains(",") } ? encoded(text) : texts.map(encoded).joined(separator: ",")
        default: return "none"
        }
    }

    private func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    func expect(_ status: Int, _ answer: HTTPAnswer) throws {
        guard answer.status == status else { throw fault("The answer ought to be \(status).") }
    }

    /// The moment at which a message was said can't be known beforehand.
    private func compare(_ expected: [[String: LineRow]]) throws {
        func timeless(_ rows: [[String: LineRow]]) -> [[String: LineRow]] {
            var rows = rows
            rows[rows.count - 1] = rows[rows.count - 1].mapValues { $0.filter { $0.key != "at" } }
            return rows
        }
        guard timeless(rows) == timeless(expected) else {
            throw fault("The tables ought to be \(expected)\nand are \(rows)")
        }
    }
}
