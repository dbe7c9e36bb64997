import Foundation
import ModelStore
import RolecallProtocol
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

/// Runs a server on a database that an application has made before.
func withTables(
    _ sql: String, _ yaml: String, configure: (inout Configuration) -> Void = { _ in },
    _ body: (LiveServer, _ staff: String) async throws -> Void
) async throws {
    let directory = NSTemporaryDirectory() + "rolecall-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try yaml.write(toFile: directory + "/rolecall.yml", atomically: true, encoding: .utf8)
    try await LiveServer.shell(sql, on: directory + "/app.db")
    let file = try LoadedFile(path: directory + "/rolecall.yml")
    try await LiveServer.run(configure: { configuration in
        configuration.isDemo = false
        configuration.attaches = true
        configuration.storeURL = "sqlite:" + directory + "/app.db"
        configuration.keyPath = directory + "/key"
        configuration.file = file
        configure(&configuration)
    }) { server in
        try await server.store.transaction {
            _ = try $0.insertUser(email: "staff@example.com", name: "S", role: "user", password: "-")
        }
        try await body(server, server.token(for: "staff@example.com"))
    }
}

/// A request with a token.
func send(
    _ server: LiveServer, _ token: String, _ method: String, _ path: String, _ body: JSON? = nil
) async throws -> HTTPAnswer {
    try await server.request(
        method, path, headers: [("Authorization", "Bearer \(token)")], body: body?.description ?? "")
}
