import Foundation
import NIOCore

/// What a server is told, and where: an option wins over the environment, the environment over the configuration file.
///
/// All three have the same words: `--ping-interval`, `ROLECALL_PING_INTERVAL`, `ping-interval:`. What is wrong is said
/// of the place in which it stands.
struct Settings: Sendable {
    /// What the configuration file says of one setting.
    struct FromFile: Sendable {
        var values: [String]
        /// `rolecall.yml:3:7`
        var place: String
    }

    var environment: [String: String]
    /// By the words of the options, without the dashes.
    var file: [String: FromFile] = [:]
    /// The configuration file's directory: what it names is beside it.
    var fileDirectory: String?

    /// A text, and what to call the place that it comes from.
    struct Given {
        var text: String
        var source: String
        var isFromFile = false
    }

    /// - Parameters:
    ///   - option: the setting's words, `ping-interval`.
    ///   - given: what the command line says.
    func text(_ option: String, _ given: String?) -> Given? {
        if let given { return Given(text: given, source: "--\(option)") }
        let variable = Self.variable(option)
        if let text = environment[variable] { return Given(text: text, source: variable) }
        guard let setting = file[option] else { return nil }
        return Given(
            text: setting.values.joined(separator: ","), source: "\(setting.place): \(option)", isFromFile: true)
    }

    /// A path; in the configuration file it is taken from the file's own directory.
    func path(_ option: String, _ given: String?) -> Given? {
        guard var found = text(option, given) else { return nil }
        guard found.isFromFile, let fileDirectory, !found.text.isEmpty, !found.text.hasPrefix("/") else { return found }
        found.text = "\(fileDirectory)/\(found.text)"
        return found
    }

    /// The database's URL; in the configuration file a path in it is taken from the file's own directory.
    func storeURL(_ given: String?) -> Given? {
        guard var found = text("store", given) else { return nil }
        if found.isFromFile, let fileDirectory { found.text = StoreURL.resolved(found.text, from: fileDirectory) }
        return found
    }

    func integer(
        _ option: String, _ given: Int?, _ range: ClosedRange<Int>, default standard: Int
    ) throws -> Int {
        guard let found = text(option, given.map { String($0) }) else { return standard }
        guard let number = Int(found.text), range.contains(number) else {
            throw StartupError("\(found.source) is a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    func milliseconds(_ option: String, _ given: Int?, default standard: Int) throws -> TimeAmount {
        .milliseconds(Int64(try integer(option, given, 1...2_147_483_647, default: standard)))
    }

    /// A flag can only be set on the command line.
    func flag(_ option: String, _ given: Bool) throws -> Bool {
        guard !given, let found = text(option, nil) else { return given }
        switch found.text.lowercased() {
        case "", "0", "false", "no": return false
        case "1", "true", "yes": return true
        default: throw StartupError("\(found.source) is \(found.isFromFile ? "true or false" : "1 or 0").")
        }
    }

    /// Texts of an option that can be repeated; in the environment they stand with commas between.
    func list(_ option: String, _ given: [String]) -> [String] {
        if !given.isEmpty { return given }
        if let text = environment[Self.variable(option)] { return text.split(separator: ",").map(String.init) }
        return file[option]?.values ?? []
    }

    /// Changes per second.
    func rate(_ option: String, _ given: Double?) throws -> Double {
        guard let found = text(option, given.map { String($0) }) else { return 0 }
        guard let rate = Double(found.text), rate.isFinite, (0...1000).contains(rate) else {
            throw StartupError("\(found.source) is a number of changes per second from 0 to 1000.")
        }
        return rate
    }

    /// Seconds.
    func duration(_ option: String, _ given: String?, default standard: Int) throws -> Int {
        guard let found = text(option, given) else { return standard }
        let text = found.text
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        let unit = text.last.flatMap { units[$0] }
        guard let count = Int(unit == nil ? text[...] : text.dropLast()), (1...1_000_000_000).contains(count),
            count * (unit ?? 1) <= 10 * 365 * 86_400
        else {
            throw StartupError("\(found.source) takes seconds or a time like 30m, 5h or 7d, not \(text).")
        }
        return count * (unit ?? 1)
    }

    static func variable(_ option: String) -> String {
        "ROLECALL_" + option.uppercased().replacingOccurrences(of: "-", with: "_")
    }
}
