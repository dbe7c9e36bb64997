import Logging
import RolecallCore
import RolecallProtocol
import WireJSON

/// Gives log lines to a ``LineWriter``, which writes them to standard error: as text for people, or as JSON objects for
/// programs.
struct LineLogHandler: LogHandler {
    enum Format: String, Sendable {
        case text
        case json
    }

    let format: Format
    private let writer: LineWriter
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    init(format: Format, level: Logger.Level, writer: LineWriter = .standardError) {
        self.format = format
        self.writer = writer
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
        writer.append(Self.line(format, event.level, "\(event.message)", all), format: format)
    }

    /// The line that stands for so many that were dropped.
    static func droppedLine(_ count: Int, _ format: Format) -> [UInt8] {
        line(format, .warning, "dropped \(count) \(count == 1 ? "line" : "lines") of the log", [:])
    }

    private static func line(
        _ format: Format, _ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata
    ) -> [UInt8] {
        var line: [UInt8] = []
        let all = metadata.sorted { $0.key < $1.key }
        switch format {
        case .text:
            line += Array("\(Timestamp.now) \(level.rawValue) \(tamed(message))".utf8)
            for (key, value) in all { line += Array(" \(key)=\(quoted("\(value)"))".utf8) }
        case .json:
            var object: JSONObject = [
                "at": .string(Timestamp.now.description), "level": .string(level.rawValue),
                "message": .string(message),
            ]
            for (key, value) in all { object[key] = .string("\(value)") }
            JSON.object(object).encode(into: &line)
        }
        line.append(UInt8(ascii: "\n"))
        return line
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
