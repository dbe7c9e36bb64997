#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a user's configuration file says, and what in it is wrong.
///
/// One directive a line, `#` before a remark:
///
///     set server https://rolecall.example.org
///     set theme light
///     bind list x copy-event
///     notify who:ann
struct ConfigurationFile: Sendable {
    /// A line that means nothing, and what would be right.
    struct Mistake: Hashable, Sendable, CustomStringConvertible {
        let line: Int
        /// A whole sentence.
        let text: String
        var description: String { "config line \(line): \(text)" }
    }

    /// What can be written in it, for people.
    static let grammar: [(directive: String, meaning: String)] = [
        ("set server URL", "the server, where neither an option nor the environment names one"),
        ("set profile NAME", "the set of logins, likewise"),
        ("set theme dark|light|mono", "the screen's colours"),
        ("set wrap on|off", "whether every line of the list is wrapped"),
        ("bind CONTEXT KEY REQUEST", "another use of a key; the request none takes its use away"),
        ("notify QUERY", "ring for what the query holds for"),
    ]

    /// More than anybody writes by hand.
    private static let largestSize = 1 << 20

    var server: ServerOrigin?
    var profile: Profile?
    var theme = ThemeChoice.dark
    var isWrapped = false
    var keys = KeyMap.standard
    /// Of what to be notified.
    var watches: [String] = []
    var mistakes: [Mistake] = []

    init() {}

    init(parsing text: String) {
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        for (number, line) in lines.enumerated() {
            let words = line.split { $0 == " " || $0 == "\t" || $0 == "\r" }.map(String.init)
            guard let directive = words.first, !directive.hasPrefix("#") else { continue }
            do {
                try obey(directive.lowercased(), Array(words.dropFirst()))
            } catch {
                mistakes.append(Mistake(line: number + 1, text: SafeText(String("\(error)".prefix(400))).text))
            }
        }
    }

    private mutating func obey(_ directive: String, _ words: [String]) throws {
        switch directive {
        case "set":
            guard words.count == 2 else { throw BindingError("It is set NAME VALUE, as in: set theme light.") }
            try set(words[0].lowercased(), words[1])
        case "bind": keys = try keys.binding(words)
        case "notify":
            let text = words.joined(separator: " ")
            guard try !Query(parsing: text).terms.isEmpty else {
                throw BindingError("It is notify QUERY, as in: notify who:ann model:thing.")
            }
            watches.append(text)
        default:
            let near = nearest(to: directive, among: ["set", "bind", "notify"]) ?? "set"
            throw BindingError("There is no directive \(directive); did you mean \(near)?")
        }
    }

    private mutating func set(_ name: String, _ value: String) throws {
        switch name {
        case "server": server = try ServerOrigin(parsing: value)
        case "profile":
            guard let profile = Profile(value) else { throw BindingError("\(value) is no profile's name.") }
            self.profile = profile
        case "theme", "wrap":
            switch try ScreenSetting(name, value) {
            case .theme(let theme): self.theme = theme
            case .wrap(let isWrapped): self.isWrapped = isWrapped
            }
        default:
            let near = nearest(to: name, among: ["server", "profile"] + ScreenSetting.names) ?? "theme"
            throw BindingError("There is no setting \(name); did you mean \(near)?")
        }
    }

    /// Where it stands; nil where the environment names no home.
    static func path(_ environment: [String: String]) -> String? {
        // A relative path is to be ignored, says the XDG Base Directory Specification.
        if let base = environment["XDG_CONFIG_HOME"], base.hasPrefix("/") { return "\(base)/rolecall/config" }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return "\(home)/.config/rolecall/config"
    }

    /// Reads the file of an environment; one that is not there says nothing.
    static func read(_ environment: [String: String]) -> ConfigurationFile {
        guard let path = path(environment) else { return ConfigurationFile() }
        // Without O_NONBLOCK, opening a named pipe would wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            return errno == ENOENT || errno == ENOTDIR
                ? ConfigurationFile() : unreadable(path, String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return unreadable(path, "it is no regular file")
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while bytes.count <= largestSize {
            let count = readSome(descriptor, &buffer, buffer.count)
            if count == 0 { return ConfigurationFile(parsing: String(decoding: bytes, as: UTF8.self)) }
            if count < 0, errno != EINTR { return unreadable(path, String(cString: strerror(errno))) }
            if count > 0 { bytes += buffer.prefix(count) }
        }
        return unreadable(path, "it is larger than 1 MiB")
    }

    private static func unreadable(_ path: String, _ reason: String) -> ConfigurationFile {
        var file = ConfigurationFile()
        file.mistakes = [Mistake(line: 0, text: "\(path) can't be read: \(reason).")]
        return file
    }
}

/// What can be set while the screen is open.
enum ScreenSetting: Hashable, Sendable {
    case theme(ThemeChoice)
    case wrap(Bool)

    static let names = ["theme", "wrap"]

    /// - Throws: ``BindingError``.
    init(_ name: String, _ value: String) throws(BindingError) {
        switch name {
        case "theme":
            guard let theme = ThemeChoice(rawValue: value.lowercased()) else {
                let names = ThemeChoice.allCases.map(\.rawValue).joined(separator: ", ")
                throw BindingError("There is no theme \(value); there are \(names).")
            }
            self = .theme(theme)
        case "wrap":
            guard ["on", "off"].contains(value.lowercased()) else { throw BindingError("wrap is on or off.") }
            self = .wrap(value.lowercased() == "on")
        default:
            let near = nearest(to: name, among: Self.names) ?? "theme"
            throw BindingError("There is no setting \(name); did you mean \(near)?")
        }
    }
}

/// The system's `read`, whose name ``ConfigurationFile/read(_:)`` has taken.
private func readSome(_ descriptor: CInt, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}
