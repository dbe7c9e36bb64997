import Foundation
import WireJSON

/// python-socketio, in a process of its own; see `stock.py`.
final class StockClient {
    private let process: Process

    /// What it is told to use.
    enum Transports: String, CaseIterable {
        case polling
        case webSocket = "websocket"
        /// Begins with the first, and goes over to the second.
        case both = "polling,websocket"

        /// Where it ends up.
        var last: JSON { self == .polling ? "polling" : "websocket" }
    }

    init(_ scenario: String, port: Int, _ transports: Transports, options: JSON = [:]) throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("stock.py")
        process = try Process([
            try Programs.python(), script.path, "http://127.0.0.1:\(port)", scenario, transports.rawValue,
            options.description,
        ])
    }

    /// The next thing that it has to say.
    func report(within time: Duration = .seconds(120)) throws -> JSON {
        try JSON(parsing: try process.line(within: time))
    }

    /// Runs a scenario to its end.
    static func run(
        _ scenario: String, port: Int, _ transports: Transports, options: JSON = [:]
    ) throws -> JSON {
        try StockClient(scenario, port: port, transports, options: options).report()
    }
}
