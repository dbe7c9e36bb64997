import Foundation
import ModelStore
import RolecallConfiguration

/// The configuration file as it was read, with the settings in it where the command line finds them.
struct LoadedFile: Sendable {
    /// As the user named it.
    var name: String
    var content: ConfigurationFile
    var settings: [String: Settings.FromFile] = [:]
    /// Those that show without a database.
    private let mistakes: [Mistake]

    /// The largest file that is read, in bytes: rules of a thousand models fit in easily.
    private static let sizeLimit = 1 << 20

    /// Reads a file, right or wrong: ``checked()`` and ``resolved(against:isDemo:)`` say what is wrong in it.
    ///
    /// - Throws: ``StartupError`` where there is no text to read.
    init(path: String) throws {
        name = path
        let (file, mistakes) = ConfigurationFile.read(
            try Self.text(of: path), name: path, settings: ServeCommand.settings)
        self.mistakes = mistakes
        content = file
        for setting in file.settings {
            settings[setting.name] = Settings.FromFile(
                values: setting.values, place: "\(path):\(setting.location.line):\(setting.location.column)")
        }
    }

    /// The file, for a command that needs no database to judge it.
    ///
    /// - Throws: ``StartupError`` with every mistake that shows without one.
    func checked() throws -> LoadedFile {
        guard mistakes.isEmpty else { throw StartupError(mistakes: mistakes) }
        return self
    }

    /// What the file comes down to with this database's tables.
    ///
    /// - Throws: ``StartupError`` with every mistake.
    func resolved(against schema: DatabaseSchema, isDemo: Bool) throws -> ResolvedConfiguration {
        let (resolved, others) = content.resolve(against: schema, demo: isDemo)
        let all = (mistakes + others).sorted { $0.location < $1.location }
        guard all.isEmpty else { throw StartupError(mistakes: all) }
        return resolved
    }

    /// Where what the file names is looked for.
    var directory: String { URL(fileURLWithPath: name).deletingLastPathComponent().path }

    private static func text(of path: String) throws -> String {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw StartupError(
                "There is no configuration file \(path). \"rolecall-server init\" writes a first one from a database.")
        }
        guard !isDirectory.boolValue else { throw StartupError("\(path) is a directory, no configuration file.") }
        guard let handle = FileHandle(forReadingAtPath: path), let data = try? handle.read(upToCount: sizeLimit + 1)
        else {
            // An empty file gives no data either.
            guard FileManager.default.isReadableFile(atPath: path) else {
                throw StartupError("The configuration file \(path) can't be read: no permission.")
            }
            return ""
        }
        guard data.count <= sizeLimit else {
            throw StartupError("The configuration file \(path) is larger than \(sizeLimit) bytes.")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw StartupError("The configuration file \(path) is not UTF-8.")
        }
        return text
    }
}

extension StartupError {
    /// Each on a line of its own, the first behind the program's name.
    init(mistakes: [Mistake]) {
        self.init(mistakes.map(\.description).joined(separator: "\n"))
    }
}
