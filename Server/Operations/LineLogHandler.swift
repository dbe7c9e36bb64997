import Foundation
import Glibc
import Logging
import RolecallCore
import RolecallProtocol
import WireJSON

/// Writes log lines to standard error, one write for each: as text for people, or as JSON objects for programs.
struct LineLogHandler: LogHandler {
    enum Format: String, Sendable {
        case text
        case json
    }

    let format: Format
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    init(format: Format, level: Logger.Level) {
        self.format = format
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        var line: [UInt8] = []
        switch format {
        case .text:
            line += Array("\(Timestamp.now) \(event.level.rawValue) \(Self.tamed("\(event.message)"))".utf8)
            for (key, value) in all.sorted(by: { $0.key < $1.key }) {
                line += Array(" \(key)=\(Self.quoted("\(value)"))".utf8)
            }
        case .json:
            var object: JSONObject = [
                "at": .string(Timestamp.now.description), "level": .string(event.level.rawValue),
                "message": .string("\(event.message)"),
            ]
            for (key, value) in all.sorted(by: { $0.key < $1.key }) { object[key] = .string("\(value)") }
            JSON.object(object).encode(into: &line)
        }
        line.append(UInt8(ascii: "\n"))
        _ = line.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// What a peer sent may stand in a log line; it must neither end the line nor speak to a terminal.
    private static func tamed(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var tame = ""
        for scalar in text.unicodeScalars {
            tame += isControl(scalar) ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }
        return tame
    }

    private static func quoted(_ text: String) -> String {
        let tame = tamed(text)
        return tame.contains(" ") || tame.isEmpty ? "\"\(tame)\"" : tame
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 32 || (127..<160).contains(scalar.value)
    }
}
