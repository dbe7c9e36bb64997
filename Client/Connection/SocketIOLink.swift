import RolecallProtocol
import SocketIOClient
import WireJSON

/// Connects to a Rolecall server by Socket.IO.
struct SocketIOConnector: SocketConnector {
    let origin: ServerOrigin
    /// A file of certificates in PEM form to trust in place of the system's.
    let certificateFile: String?

    func connect(_ handshake: Handshake) async throws -> any SocketLink {
        var configuration = SocketIOClientConfiguration(
            isSecure: origin.scheme == .https, host: origin.host, port: origin.port)
        configuration.trustRootsFile = certificateFile
        // A row as a tree takes several kilobytes: what waits in a flood is kept short.
        configuration.maximumUnreadElements = 256
        if let token = handshake.token { configuration.headers = [("Cookie", "token=\(token.secret)")] }
        if let after = handshake.after { configuration.auth = ["after": .string(after.description)] }
        do {
            return SocketIOLink(try await SocketIOConnection.connect(configuration))
        } catch {
            guard let failure = ConnectFailure(error, origin: origin) else { throw CancellationError() }
            throw failure
        }
    }
}

/// A connection by Socket.IO.
final class SocketIOLink: SocketLink {
    let socketID: String
    private let connection: SocketIOConnection
    private let incoming: SocketIOIncomingSequence.AsyncIterator

    init(_ connection: SocketIOConnection) {
        self.connection = connection
        socketID = connection.sid
        incoming = connection.incoming.makeAsyncIterator()
    }

    func arrivals(isolation: isolated (any Actor)?) async -> [SocketArrival] {
        // The iterator refers to the one queue; a copy of it goes on where the original stands.
        var incoming = incoming
        return (await incoming.nextBatch(isolation: isolation) ?? []).map { element in
            switch element {
            case .event(let name, let arguments, _, _): .event(name: name, arguments: arguments)
            case .acknowledgement: .acknowledgement
            case .disconnected(let reason): .lost(reason: Self.sentence(reason))
            }
        }
    }

    private static func sentence(_ reason: SocketIODisconnectReason) -> String {
        guard case .transportClosed(let sentence) = reason else { return reason.description }
        let words = NetworkFault.words(for: sentence)
        return words == sentence ? sentence : "The connection broke: \(words.asSentenceEnd)"
    }

    func rest(for duration: Duration) {
        connection.rest(for: duration)
    }

    func request(_ event: String, _ arguments: [JSON], timeout: Duration) async throws -> JSON {
        do {
            let answer = try await connection.emitWithAcknowledgement(event, arguments, timeout: timeout)
            return answer.first ?? .null
        } catch {
            switch error {
            case .timedOut: throw RequestFailure.timedOut
            case .disconnected: throw RequestFailure.connectionLost
            case .cancelled: throw CancellationError()
            }
        }
    }

    func close() async {
        await connection.disconnect()
    }
}

extension ConnectFailure {
    /// Nil for an attempt that was cancelled.
    init?(_ error: SocketIOConnectError, origin: ServerOrigin) {
        switch error {
        case .cancelled: return nil
        case .unreachable(let sentence):
            let fault = NetworkFault.words(for: sentence)
            self.init(kind: .unreachable, description: "No server answers at \(origin): \(fault.asSentenceEnd)")
        case .timedOut(let stage):
            self.init(kind: .timedOut, description: "The server at \(origin) took too long (\(stage)).")
        case .refused(let status, let body):
            let said = (try? JSON(parsing: body))?["message"]?.stringValue ?? String(body.prefix(200))
            self.init(
                kind: .refused(status: status),
                description:
                    "The server at \(origin) refuses the connection (status \(status))\(said.isEmpty ? "" : ": \(said)")"
            )
        case .rejected(let message, _):
            self.init(kind: .rejected, description: "The server at \(origin) refuses the socket: \(message)")
        case .tlsFailed(let detail), .invalidConfiguration(let detail):
            let fault = NetworkFault.words(for: detail)
            self.init(
                kind: .unsuitable, description: "\(origin) can't be connected to: \(fault.asSentenceEnd)")
        case .protocolViolation(let sentence):
            self.init(kind: .unsuitable, description: "What answers at \(origin) is no Rolecall server. \(sentence)")
        }
    }
}
