import Foundation
import NIOCore
import TestSupport
import Testing
import WireJSON

@testable import SocketIOClient

/// Waits until something holds, and fails if it doesn't within the time.
func eventually(
    _ what: String,
    within limit: Duration = .seconds(10),
    sourceLocation: SourceLocation = #_sourceLocation,
    _ holds: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    while try await !holds() {
        guard clock.now < deadline else {
            Issue.record("did not come: \(what)", sourceLocation: sourceLocation)
            throw CancellationError()
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}

extension SocketIOClientConfiguration {
    init(_ server: ScriptedServer) {
        self.init(host: "127.0.0.1", port: server.port)
    }

    func with(_ change: (inout SocketIOClientConfiguration) -> Void) -> SocketIOClientConfiguration {
        var copy = self
        change(&copy)
        return copy
    }
}

extension SocketIOIncoming: CustomStringConvertible {
    /// For comparisons: the name and arguments of an event, the id of an acknowledgement, the reason of the end.
    public var description: String {
        switch self {
        case .event(let name, let arguments, let attachments, let acknowledge):
            "\(name)(\(arguments.map(\.description).joined(separator: ",")))"
                + attachments.map { " \(Array($0.readableBytesView))" }.joined() + (acknowledge == nil ? "" : "?")
        case .acknowledgement(let id): "acknowledgement \(id)"
        case .disconnected(let reason): "disconnected: \(reason)"
        }
    }
}

extension SocketIOConnection {
    /// Everything up to the end.
    func allIncoming() async -> [String] {
        var all: [String] = []
        for await element in incoming {
            all.append(element.description)
        }
        return all
    }
}

/// The error that a connection attempt ends with.
func connectError(_ configuration: SocketIOClientConfiguration) async -> SocketIOConnectError? {
    do {
        _ = try await SocketIOConnection.connect(configuration)
        return nil
    } catch {
        return error
    }
}

extension SocketIOConnection {
    /// Whether nothing more is read from the network for the time being.
    func isPaused() async throws -> Bool {
        try await session.eventLoop.submit { [session] in session.value.isPaused }.get()
    }
}

/// Runs the body with the path of a file that holds a certificate.
func withFile(of certificate: TestCertificate, _ body: (String) async throws -> Void) async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).pem")
    try certificate.certificate.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    try await body(file.path)
}

extension SocketIOConnection {
    /// Whether the network connection is read from.
    func isReading() async throws -> Bool {
        try await session.eventLoop.submit { [session] in
            try session.value.engine.channel?.syncOptions?.getOption(.autoRead) ?? false
        }.get()
    }

    /// Whether what is sent leaves at once.
    func isIdle() async throws -> Bool {
        try await session.eventLoop.submit { [session] in session.value.isIdle }.get()
    }
}
