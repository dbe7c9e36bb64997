import Foundation
import SocketIOClient
import WireJSON

/// A Python process with an independent Socket.IO server in it; see `server.py`.
final class ServerHost: Sendable {
    let port: Int
    private let process: ChildProcess

    /// Runs `body` with a server, which ends with it.
    static func run<Result>(
        _ options: JSONObject = [:], _ body: (ServerHost) async throws -> Result
    ) async throws -> Result {
        let server = try await ServerHost(options)
        do {
            let result = try await body(server)
            try await server.process.end()
            return result
        } catch {
            _ = try? await server.process.end()
            throw error
        }
    }

    private init(_ options: JSONObject) async throws {
        let script = Programs.peer.deletingLastPathComponent().appendingPathComponent("server.py")
        process = try ChildProcess(Programs.python(), [script.path, JSON.object(options).description])
        do {
            let line = try await process.output.first(within: .seconds(60), "the server's port") { _ in true }
            guard let port = Int(line.element) else {
                throw MissingProgram("The independent server began with \"\(line.element)\".")
            }
            self.port = port
        } catch {
            let complaints = process.errors.elements.joined(separator: "\n")
            _ = try? await process.end()
            throw complaints.isEmpty ? error : MissingProgram("The independent server does not start: \(complaints)")
        }
    }

    func configuration(_ transports: [SocketIOTransport]) -> SocketIOClientConfiguration {
        var configuration = SocketIOClientConfiguration(host: "127.0.0.1", port: port)
        configuration.transports = transports
        configuration.connectTimeout = .seconds(60)
        return configuration
    }

    /// Runs `body` with a connection, which ends with it.
    func connect<Result>(
        _ transports: [SocketIOTransport], _ body: (SocketIOConnection) async throws -> Result
    ) async throws -> Result {
        let connection = try await SocketIOConnection.connect(configuration(transports))
        do {
            let result = try await body(connection)
            await connection.disconnect()
            return result
        } catch {
            await connection.disconnect()
            throw error
        }
    }
}
