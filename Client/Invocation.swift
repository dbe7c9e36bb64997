import ArgumentParser
import Logging

/// What a command line comes to.
enum Invocation: Sendable {
    case run(Configuration)
    /// A text that was asked for: help, the version.
    case print(String)
    /// The command line is wrong; the text says what would be right.
    case misuse(String)

    /// Reads the arguments (without the program's name) in their environment.
    init(arguments: [String], environment: [String: String], file: ConfigurationFile = ConfigurationFile()) {
        do {
            var command = try RolecallCommand.parseAsRoot(
                QueryArguments.shielded(LeadingOptions.behindVerb(arguments)))
            if let text = try (command as? any TextCommand)?.text() {
                self = .print(text)
                return
            }
            guard let verbCommand = command as? any VerbCommand else {
                // Of `help` and of the bare command, running is printing.
                try command.run()
                self = .print(RolecallCommand.helpMessage())
                return
            }
            self = .run(
                try Configuration(
                    verb: verbCommand.verb(), options: verbCommand.options, environment: environment, file: file))
        } catch {
            let text = RolecallCommand.fullMessage(for: error)
            self = RolecallCommand.exitCode(for: error).isSuccess ? .print(text) : .misuse(text)
        }
    }
}

extension Configuration {
    /// An option wins over the environment, the environment over the configuration file, and that over the default.
    ///
    /// - Throws: `ValidationError`, which repeats no secret.
    init(
        verb: Verb, options: GlobalOptions, environment: [String: String], file: ConfigurationFile = ConfigurationFile()
    ) throws {
        func variable(_ name: String) -> String? {
            environment[name].flatMap { $0.isEmpty ? nil : $0 }
        }
        self.init(verb: verb)
        self.file = file
        file.server.map { server = $0 }
        file.profile.map { profile = $0 }
        if let text = options.server ?? variable("ROLECALL_SERVER") {
            do {
                server = try ServerOrigin(parsing: text)
            } catch {
                throw ValidationError(error.description)
            }
        }
        if let text = options.profile ?? variable("ROLECALL_PROFILE") {
            guard let named = Profile(text) else {
                throw ValidationError(
                    "A profile's name is 1 to 64 letters, digits, '.', '-' and '_', the first a letter or a digit.")
            }
            profile = named
        }
        isInsecure = options.insecure
        guard let level = Logger.Level(rawValue: options.logLevel.lowercased()) else {
            let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--log-level is one of \(levels).")
        }
        logLevel = level
        certificateFile = options.cacert
        if let text = variable("ROLECALL_TOKEN") {
            guard let environmentToken = Token(text) else {
                throw ValidationError("$ROLECALL_TOKEN is no token: a JWT has neither spaces nor control characters.")
            }
            token = environmentToken
        }
        home = variable("HOME").flatMap { $0.hasPrefix("/") ? $0 : nil }
        // A relative path is to be ignored, says the XDG Base Directory Specification.
        if let base = variable("XDG_STATE_HOME"), base.hasPrefix("/") {
            tokenDirectory = "\(base)/rolecall"
        } else if let home = variable("HOME"), home.hasPrefix("/") {
            tokenDirectory = "\(home)/.local/state/rolecall"
        }
    }
}

/// Brings options that stand in front of the verb behind it: `rolecall --profile admin watch` is
/// `rolecall watch --profile admin`. To the parser the first is the screen's, since that is what no verb means.
enum LeadingOptions {
    private static let valueOptions: Set<String> = ["--server", "--profile", "--log-level", "--cacert"]
    private static let flags: Set<String> = ["--insecure"]

    static func behindVerb(_ arguments: [String]) -> [String] {
        var leading: [String] = []
        var rest = arguments[...]
        while let option = rest.first {
            if valueOptions.contains(option), rest.count > 1 {
                leading += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else if flags.contains(option) || valueOptions.contains(where: { option.hasPrefix($0 + "=") }) {
                leading.append(option)
                rest = rest.dropFirst()
            } else {
                break
            }
        }
        let verbs = RolecallCommand.configuration.subcommands.compactMap { $0.configuration.commandName }
        guard !leading.isEmpty, let verb = rest.first, verbs.contains(verb) else { return arguments }
        return [verb] + leading + rest.dropFirst()
    }
}

/// Keeps the negated terms of a query (`-op:removed`), and socket ids that begin so, from being read as options.
enum QueryArguments {
    /// The options of `watch`, `expect` and `kick` that take the next argument as their value.
    static let valueOptions: Set<String> = [
        "--server", "--profile", "--log-level", "--cacert", "--after", "--count", "--until", "--timeout", "--format",
    ]

    /// The same command line with such terms behind `--`, and such values joined to their option by `=`. The order of
    /// a query's terms means nothing.
    static func shielded(_ arguments: [String]) -> [String] {
        guard let verb = arguments.first, ["watch", "expect", "kick"].contains(verb) else { return arguments }
        var shielded = [verb]
        var terms: [String] = []
        var rest = arguments.dropFirst()
        while let argument = rest.popFirst() {
            if argument == "--" {
                terms += rest
                break
            }
            if valueOptions.contains(argument), let value = rest.first, isTerm(value) {
                rest.removeFirst()
                shielded.append("\(argument)=\(value)")
            } else if valueOptions.contains(argument), let value = rest.popFirst() {
                shielded += [argument, value]
            } else if isTerm(argument) {
                terms.append(argument)
            } else {
                shielded.append(argument)
            }
        }
        return terms.isEmpty ? shielded : shielded + ["--"] + terms
    }

    private static func isTerm(_ argument: String) -> Bool {
        argument.utf8.count > 1 && argument.hasPrefix("-") && !argument.hasPrefix("--") && argument != "-h"
    }
}
