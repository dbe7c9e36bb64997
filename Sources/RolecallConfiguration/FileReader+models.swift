import ModelStore

extension FileReader {
    private static let modelKeys = [
        "table", "path", "key", "read", "write", "create", "update", "remove", "fields", "stamps",
    ]

    mutating func readModels(_ node: YAMLNode) {
        guard let entries = nodes.entries(node, "models", takes: "models by their names") else { return }
        for entry in entries {
            if let model = model(entry) { models.append(model) }
        }
        checkPaths()
    }

    private mutating func model(_ entry: YAMLEntry) -> ModelEntry? {
        let name = entry.key
        guard Self.isName(name) else {
            report(
                entry.location,
                """
                \(Words.quoted(name)) can't be a model's name: events and paths are called by it, so it has letters \
                from A to Z, digits, _ and -, 64 at most; name its table with table:
                """)
            return nil
        }
        if name == ModelName.message {
            report(
                entry.location, "message is Rolecall's own chat: who reads and writes it is said under rooms:, by room")
            return nil
        }
        guard !entry.value.isNothing,
            let parts = nodes.entries(
                entry.value, name, takes: "a mapping like {table: \(name)s, read: [{role: admin}]}")
        else {
            if entry.value.isNothing {
                report(entry.location, "\(name) says nothing; write at least who reads it, like read: [{role: admin}]")
            }
            return nil
        }
        var model = ModelEntry(name: name, location: entry.location)
        for part in parts {
            guard name != ModelName.user || part.key == "read" || part.key == "fields" else {
                if Self.modelKeys.contains(part.key) {
                    report(
                        part.location,
                        "user is Rolecall's own and takes only read and fields: accounts have routes of their own")
                } else {
                    nodes.unknown(part, in: "user", among: ["read", "fields"])
                }
                continue
            }
            read(part, into: &model)
        }
        check(&model)
        return model
    }

    private mutating func read(_ part: YAMLEntry, into model: inout ModelEntry) {
        let subject = "\(part.key) of \(model.name)"
        switch part.key {
        case "table":
            model.table = nodes.text(part.value, subject, takes: "the table's name")
            if model.table == nil { model.isBroken = true }
        case "path":
            model.path = path(part.value, subject)
        case "key":
            model.keyLocation = part.value.location
            model.key = keys(part.value, subject) ?? []
            if model.key.isEmpty { model.isBroken = true }
        case "read": model.read = rules(part, of: model.name)
        case "write": model.write = rules(part, of: model.name)
        case "create": model.create = rules(part, of: model.name)
        case "update": model.update = rules(part, of: model.name)
        case "remove": model.remove = rules(part, of: model.name)
        case "fields": model.fields = fields(part.value, of: model.name)
        case "stamps": model.stamps = stamps(part.value, of: model.name)
        default: nodes.unknown(part, in: model.name, among: Self.modelKeys)
        }
    }

    private mutating func path(_ node: YAMLNode, _ subject: String) -> Located<String>? {
        guard let path = nodes.text(node, subject, takes: "the last part of /api/...") else { return nil }
        guard Self.isName(path.value) else {
            report(
                path.location,
                """
                \(Words.quoted(path.value)) can't be the last part of /api/...: it has letters from A to Z, digits, _ \
                and -, 64 at most
                """)
            return nil
        }
        return path
    }

    private mutating func keys(_ node: YAMLNode, _ subject: String) -> [Located<String>]? {
        guard let columns = nodes.texts(node, subject, takes: "a column, or a list of columns") else { return nil }
        guard !columns.isEmpty, columns.count <= 8 else {
            report(
                node.location,
                "\(subject) has \(columns.count) columns; a row is named by one column, or by up to 8 together")
            return nil
        }
        return columns
    }

    private mutating func fields(_ node: YAMLNode, of model: String) -> [FieldEntry] {
        let expected = "columns with {read: role, write: role, secret: true}"
        guard let entries = nodes.entries(node, "fields of \(model)", takes: expected) else { return [] }
        return entries.compactMap { field($0, of: model) }
    }

    private mutating func field(_ entry: YAMLEntry, of model: String) -> FieldEntry? {
        let subject = "the field \(Words.quoted(entry.key)) of \(model)"
        let expected = "{read: role}, {write: role}, both of them, or {secret: true}"
        guard let parts = nodes.entries(entry.value, subject, takes: expected) else { return nil }
        var field = FieldEntry(column: Located(entry.key, entry.location))
        for part in parts {
            switch part.key {
            case "read": field.read = access(part, subject)
            case "write": field.write = access(part, subject)
            case "secret": field.secret = nodes.flag(part.value, subject).map { Located($0, part.location) }
            default: nodes.unknown(part, in: subject, among: ["read", "write", "secret"])
            }
        }
        if parts.isEmpty { report(entry.value.location, "\(subject) says nothing; write \(expected)") }
        if let secret = field.secret, secret.value, let access = field.read ?? field.write {
            report(
                access.location,
                "\(subject) is secret, so nobody reads or writes it; leave out secret: true, or the roles")
            field.read = nil
            field.write = nil
        }
        return field
    }

    private mutating func stamps(_ node: YAMLNode, of model: String) -> [StampEntry] {
        let expected = "columns with author-id, author-name or now"
        let entries = nodes.entries(node, "stamps of \(model)", takes: expected) ?? []
        return entries.compactMap { entry in
            let subject = "the stamp \(Words.quoted(entry.key)) of \(model)"
            guard let text = nodes.text(entry.value, subject, takes: "author-id, author-name or now") else {
                return nil
            }
            guard let stamp = Self.stamps[text.value] else {
                let names = ["author-id", "author-name", "now"]
                report(
                    text.location,
                    """
                    there is no stamp \(Words.quoted(text.value)); \
                    \(Words.suggestion(for: text.value, among: names, noun: "stamp"))
                    """)
                return nil
            }
            return StampEntry(column: Located(entry.key, entry.location), stamp: Located(stamp, text.location))
        }
    }

    private static let stamps: [String: Stamp] = [
        "author-id": .authorID, "author-name": .authorName, "now": .now,
    ]

    /// Paths that the server has for itself under /api.
    static let reservedPaths: Set<String> = ["events", "models", "sockets"]

    private mutating func checkPaths() {
        var taken: [String: String] = ["users": ModelName.user, "messages": ModelName.message]
        for model in models where model.name != ModelName.user {
            let path = model.servedPath
            let location = model.path?.location ?? model.location
            if let other = taken[path] {
                report(
                    location,
                    "/api/\(path) is the path of \(other) already; give \(model.name) another one with path:")
            } else if Self.reservedPaths.contains(path) {
                report(location, "/api/\(path) is the server's own; give \(model.name) another one with path:")
            } else {
                taken[path] = model.name
            }
        }
    }
}
