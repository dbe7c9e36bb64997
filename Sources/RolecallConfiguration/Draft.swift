import ModelStore

extension ConfigurationFile {
    /// A first file for a database, commented so that a stranger can go on from there.
    ///
    /// Every ordinary table with a key is a model that only admins see, until somebody opens it; columns that look like
    /// secrets are declared so. Tables that can't be models are named in comments, with the reason. The file
    /// resolves against the schema that it was made for without a mistake.
    public static func draft(for schema: DatabaseSchema) -> String {
        Draft(schema).text
    }
}

/// Writes the first configuration for a database.
private struct Draft {
    let schema: DatabaseSchema
    private var names: Set<String> = [ModelName.user, ModelName.message]
    private var paths: Set<String> = ["users", "messages"]

    init(_ schema: DatabaseSchema) {
        self.schema = schema
    }

    var text: String {
        var draft = self
        return draft.write()
    }

    private mutating func write() -> String {
        var models: [String] = []
        var others: [String] = []
        for table in schema.tables where !table.isOwn {
            switch Self.usable(table, in: schema) {
            case .success(let key): models.append(model(table, key: key))
            case .failure(let reason): others.append("  # \(YAMLWriter.comment(reason.sentence)).\n")
            }
        }
        var text = Self.head(schema)
        text += models.isEmpty ? "models: {}\n" : "models:\n" + models.joined(separator: "\n")
        if !others.isEmpty { text += "\n  # Not among the models:\n" + others.joined() }
        return text
    }

    private struct Unusable: Error {
        var sentence: String
    }

    /// The key that a table's rows can be named by, as a file has to name it: empty for the primary key.
    private static func usable(
        _ table: DatabaseSchema.Table, in schema: DatabaseSchema
    ) -> Result<[String], Unusable> {
        guard !beginsWithMark(table) else {
            let sentence = "\(Words.quoted(table.name)) has a name, or a column, that begins with a byte order mark"
            return .failure(Unusable(sentence: sentence + ", which is lost from a file; rename it"))
        }
        var reason = ""
        for key in [[]] + table.otherKeys {
            var entry = ModelEntry(name: "model", location: .start)
            entry.table = Located(table.name, .start)
            entry.key = key.map { Located($0, .start) }
            entry.keyLocation = key.isEmpty ? nil : .start
            var mistakes = Mistakes(file: "")
            if ModelResolution.resolve(entry, against: schema, mistakes: &mistakes) != nil { return .success(key) }
            if reason.isEmpty { reason = mistakes.inOrder.first?.sentence ?? "it can't be a model" }
        }
        return .failure(Unusable(sentence: reason))
    }

    private static func beginsWithMark(_ table: DatabaseSchema.Table) -> Bool {
        ([table.name] + table.columns.map(\.name)).contains { $0.unicodeScalars.first == "\u{FEFF}" }
    }

    // MARK: One model

    private mutating func model(_ table: DatabaseSchema.Table, key: [String]) -> String {
        let (name, path) = names(for: table.name)
        let keys = key.isEmpty ? table.primaryKey : key
        var lines = ["  \(name):"]
        if table.name != name { lines.append("    table: \(YAMLWriter.text(table.name))") }
        if path != name + "s" { lines.append("    path: \(path)") }
        if !key.isEmpty { lines.append("    key: [\(key.map(YAMLWriter.text).joined(separator: ", "))]") }
        lines.append(contentsOf: Self.wrapped(table.columns.map { Self.described($0, isKey: keys.contains($0.name)) }))
        let owner = table.columns.first {
            ["email", "e_mail", "mail"].contains($0.name.asciiLowercased) && $0.kind == .text
        }
        if let owner {
            let column = YAMLWriter.text(owner.name)
            lines.append("    # With {owner: {email: \(column)}} as a rule, users see the rows with their address.")
        }
        lines.append("    read: [{role: admin}]")
        lines.append("    write: [{role: admin}]")
        let secrets = table.columns.filter { Self.looksSecret($0.name) && !keys.contains($0.name) }
        if !secrets.isEmpty {
            lines.append("    fields:")
            lines.append(contentsOf: secrets.map { "      \(YAMLWriter.text($0.name)): {secret: true}" })
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func described(_ column: DatabaseSchema.Column, isKey: Bool) -> String {
        var words = [YAMLWriter.text(column.name)]
        if !column.declaredType.isEmpty { words.append(YAMLWriter.text(column.declaredType)) }
        if isKey { words.append("(key)") }
        if column.isGenerated { words.append("(computed)") }
        return words.joined(separator: " ")
    }

    /// Words in as many lines of comment as it takes.
    private static func wrapped(_ words: [String]) -> [String] {
        var lines: [String] = []
        var line = "    # Columns:"
        for (index, word) in words.enumerated() {
            let word = " " + word + (index + 1 == words.count ? "" : ",")
            if line.count + word.count > 100, line.count > 5 {
                lines.append(line)
                line = "    #"
            }
            line += word
        }
        return lines + [line]
    }

    private static func looksSecret(_ column: String) -> Bool {
        let signs = [
            "password", "passwd", "passphrase", "hash", "token", "secret", "salt", "api_key", "apikey", "private_key",
        ]
        let name = column.asciiLowercased
        return signs.contains { name.contains($0) }
    }

    // MARK: Names

    /// A name and a path that no other model has: `order` and `orders` for a table of either name.
    private mutating func names(for table: String) -> (name: String, path: String) {
        let base = Self.slug(table)
        var candidates: [(name: String, path: String)] = []
        for base in [base, "app_" + base] {
            if let singular = Self.singular(base) {
                candidates.append((singular, base))
            } else if !base.hasSuffix("s") {
                candidates.append((base, base + "s"))
            }
            candidates.append((base, base))
        }
        var number = 2
        while true {
            for candidate in candidates
            where !names.contains(candidate.name) && !paths.contains(candidate.path)
                && !FileReader.reservedPaths.contains(candidate.path)
            {
                names.insert(candidate.name)
                paths.insert(candidate.path)
                return candidate
            }
            candidates = [("\(base)_\(number)", "\(base)_\(number)")]
            number += 1
        }
    }

    /// What can be a name of a table's.
    private static func slug(_ table: String) -> String {
        var slug = String(table.prefix(48).map { FileReader.isName(String($0)) ? $0 : "_" })
        // A table's name may have no such letter at all.
        if slug.allSatisfy({ $0 == "_" || $0 == "-" }) { slug = "table" }
        return slug
    }

    private static func singular(_ name: String) -> String? {
        let lowercased = name.asciiLowercased
        guard lowercased.hasSuffix("s"), name.count > 3,
            !["ss", "us", "is"].contains(where: { lowercased.hasSuffix($0) })
        else { return nil }
        if lowercased.hasSuffix("ies"), name.count > 4 { return name.dropLast(3) + "y" }
        if ["sses", "xes", "ches", "shes"].contains(where: { lowercased.hasSuffix($0) }) {
            return String(name.dropLast(2))
        }
        return String(name.dropLast())
    }

    // MARK: The head

    private static func head(_ schema: DatabaseSchema) -> String {
        let name = YAMLWriter.comment(schema.name)
        let store =
            schema.storeURL.map { url in
                "# The database; a path is taken from this file's own directory.\nstore: \(YAMLWriter.text(url))\n\n"
            } ?? ""
        return """
            # A first configuration for \(name), made from the tables that stand in it.
            #
            # It is closed: only admins see and change anything. What is to be seen, rules say; each grants, and where
            # none does, there is no access:
            #
            #   read: everyone                        every row, for those who are not signed in, too
            #   read: [{role: user}]                  every row, for whoever has this role or a higher one
            #   read:
            #     - role: admin                       every row for admins; for users
            #     - role: user                        only those in which a column has one of these values,
            #       when: {status: [open, done]}
            #     - owner: author_id                  those in which their number stands,
            #     - owner: {email: customer}          and those in which their e-mail address stands
            #
            # create, update and remove take the same rules; write stands for those of them that are not given. Only
            # who is signed in writes, and nobody writes what he does not see. And by column:
            #
            #   fields:
            #     cost: {read: admin, write: admin}   only admins see it, only admins change it
            #     password_hash: {secret: true}       it never leaves its table, not even into the log
            #   stamps: {created_at: now, author_id: author-id}   the server fills these in, nobody writes them
            #
            # Settings of the server can stand here, too, by the names of its flags: port: 9000.
            #
            # rolecall-server check tells whether everything that stands here is right.

            \(store)# From the lowest, the role of those who are not signed in, to the highest. New accounts have the second.
            roles: [guest, user, admin]

            # The log of changes keeps what is younger, and no more than this; without it, everything.
            # retention: {age: 30d, events: 1000000}

            # Chat rooms with the roles that they are open to; without them there is any room, for everyone signed in.
            # rooms:
            #   lobby: user
            #   office: {read: user, write: admin}


            """
    }
}
