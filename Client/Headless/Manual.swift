import Terminal
import WireJSON

/// The manual page, made of the tables that decide what the program does.
struct Manual {
    /// The command line's grammar as its parser tells it, in JSON.
    let grammar: JSON

    /// In `man(7)` form.
    var text: String {
        var page = Page()
        let root = grammar["command"] ?? .null
        page.line(".TH ROLECALL 1 \"\" \"rolecall \(Program.version)\" \"User Commands\"")
        page.section("NAME")
        page.text("rolecall - \(Self.sentence(root["abstract"]))")
        page.section("SYNOPSIS")
        page.line(".B rolecall")
        page.text("[verb] [options]")
        page.section("DESCRIPTION")
        for paragraph in Self.paragraphs(root["discussion"]) { page.paragraph(paragraph) }
        page.section("VERBS")
        for verb in root["subcommands"]?.arrayValue ?? [] where verb["commandName"] != "help" { writeVerb(verb, &page) }
        page.section("OPTIONS OF EVERY VERB")
        for argument in Self.common(root) { writeArgument(argument, &page) }
        page.section("KEYS OF THE SCREEN")
        for context in KeyContext.allCases {
            page.line(".SS \(Page.quoted("\(context.title) (\(context.name))"))")
            for binding in KeyMap.standard.bindings where binding.context == context {
                page.item(
                    binding.keys.map(\.description).joined(separator: " "),
                    "\(binding.request.explanation) (\(binding.request.name))")
            }
        }
        page.section("COMMANDS OF THE SCREEN")
        for command in SlashCommand.allCases { page.item("/\(command.rawValue)", command.explanation) }
        page.section("QUERIES")
        page.text("Terms that must all hold.")
        for (term, meaning) in Query.grammar { page.item(term, meaning) }
        page.section("CONFIGURATION")
        page.text(
            "One directive a line in $XDG_CONFIG_HOME/rolecall/config (or ~/.config/rolecall/config); # begins a "
                + "remark.")
        for (directive, meaning) in ConfigurationFile.grammar { page.item(directive, meaning) }
        page.section("ENVIRONMENT")
        for (name, meaning) in Self.environment { page.item(name, meaning) }
        page.section("EXIT STATUS")
        for (code, meaning) in Self.exitCodes { page.item("\(code)", meaning) }
        return page.output
    }

    private func writeVerb(_ verb: JSON, _ page: inout Page) {
        page.line(".SS \(Page.quoted(verb["commandName"]?.stringValue ?? ""))")
        page.paragraph(Self.sentence(verb["abstract"]))
        for paragraph in Self.paragraphs(verb["discussion"]) { page.paragraph(paragraph) }
        let common = Set(Self.common(grammar["command"] ?? .null).map(Self.title))
        for argument in verb["arguments"]?.arrayValue ?? [] where !common.contains(Self.title(argument)) {
            writeArgument(argument, &page)
        }
    }

    private func writeArgument(_ argument: JSON, _ page: inout Page) {
        guard argument["shouldDisplay"]?.boolValue != false else { return }
        let value = argument["defaultValue"]?.stringValue.map { " (\($0) without it)" } ?? ""
        page.item(Self.title(argument), Self.sentence(argument["abstract"]) + value)
    }

    /// What all verbs take.
    private static func common(_ root: JSON) -> [JSON] {
        let verbs = (root["subcommands"]?.arrayValue ?? []).filter { $0["commandName"] != "help" }
        let lists = verbs.map { $0["arguments"]?.arrayValue ?? [] }.filter {
            $0.contains { title($0).hasPrefix("--server") }
        }
        guard let first = lists.first else { return [] }
        return first.filter { argument in lists.allSatisfy { $0.contains { title($0) == title(argument) } } }
    }

    /// `--speed factor`, `[query ...]`.
    private static func title(_ argument: JSON) -> String {
        let value = argument["valueName"]?.stringValue ?? ""
        let names = (argument["names"]?.arrayValue ?? []).compactMap { name -> String? in
            let text = name["name"]?.stringValue ?? ""
            return name["kind"] == "long" ? "--\(text)" : "-\(text)"
        }
        switch argument["kind"]?.stringValue {
        case "option": return "\(names.joined(separator: ", ")) \(value)"
        case "flag": return names.joined(separator: ", ")
        default:
            let repeated = argument["isRepeating"]?.boolValue == true ? " ..." : ""
            return argument["isOptional"]?.boolValue == true ? "[\(value)\(repeated)]" : "\(value)\(repeated)"
        }
    }

    private static func sentence(_ text: JSON?) -> String { text?.stringValue ?? "" }

    private static func paragraphs(_ text: JSON?) -> [String] {
        (text?.stringValue ?? "").split(separator: "\n").map(String.init)
    }

    private static let environment = [
        ("ROLECALL_SERVER", "the server, where --server names none"),
        ("ROLECALL_PROFILE", "the set of logins, where --profile names none"),
        ("ROLECALL_TOKEN", "a token that wins over the saved one"),
        ("NO_COLOR", "no colours, if it is not empty"),
        ("XDG_STATE_HOME", "where saved logins are kept, in rolecall/; without it ~/.local/state"),
        ("XDG_CONFIG_HOME", "where the configuration is, in rolecall/config; without it ~/.config"),
    ]

    private static let exitCodes = [
        (0, "done"), (1, "refused or failed"), (2, "usage"), (3, "cannot connect"), (4, "login failed or expired"),
        (5, "time-out"), (6, "connection lost"), (7, "denied by role"), (130, "interrupted"), (143, "terminated"),
    ]
}

/// Text in the language of `man(7)`.
private struct Page {
    private(set) var output = ""

    mutating func line(_ text: String) { output += text + "\n" }
    mutating func section(_ title: String) { line(".SH \(Self.quoted(title))") }
    mutating func text(_ text: String) { line(Self.escaped(text)) }

    mutating func paragraph(_ text: String) {
        line(".PP")
        self.text(text)
    }

    mutating func item(_ title: String, _ text: String) {
        line(".TP")
        line(".B \(Self.quoted(title))")
        self.text(text)
    }

    static func quoted(_ text: String) -> String { "\"\(escaped(text).replacing("\"", with: "\\(dq"))\"" }

    /// Nothing in it is a request or an escape.
    private static func escaped(_ text: String) -> String {
        let plain = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
        return plain.hasPrefix(".") || plain.hasPrefix("'") ? "\\&\(plain)" : plain
    }
}
