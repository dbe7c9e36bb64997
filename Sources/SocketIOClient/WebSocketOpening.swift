import NIOCore
import NIOHTTP1
import WebSocketLink

/// One attempt to open a WebSocket, from the connection to the answer 101. Belongs to its event loop.
final class WebSocketOpening {
    private let endpoint: EngineEndpoint
    private let sid: String?
    private let stage: (SocketIOConnectStage) -> Void
    private var completion: ((Result<WebSocketTransport, SocketIOConnectError>) -> Void)?
    private var dialling: Dialling?
    private var channel: (any Channel)?
    private var handler: WebSocketUpgradeHandler?

    /// - Parameters:
    ///   - sid: the session that is to move to the WebSocket; nil for a new one.
    ///   - stage: hears how far it has come.
    init(_ endpoint: EngineEndpoint, sid: String?, stage: @escaping (SocketIOConnectStage) -> Void = { _ in }) {
        self.endpoint = endpoint
        self.sid = sid
        self.stage = stage
    }

    /// Begins.
    ///
    /// - Parameter completion: called once, on the event loop, unless this is cancelled before. It has to give the
    ///   transport its owner before it returns.
    func start(_ completion: @escaping (Result<WebSocketTransport, SocketIOConnectError>) -> Void) {
        self.completion = completion
        dialling = endpoint.dialer.dial(stage: stage) { result in
            self.dialling = nil
            switch result {
            case .success(let channel): self.connected(channel)
            case .failure(let error): self.finish(.failure(error))
            }
        }
    }

    /// Gives up; nobody is told.
    func cancel() {
        completion = nil
        dialling.take()?.cancel()
        handler = nil
        channel.take()?.close(promise: nil)
    }

    /// What the server has said so far to refuse, for somebody who won't wait any longer.
    var pendingRefusal: SocketIORefusal? { handler?.pendingRefusal }

    private func connected(_ channel: any Channel) {
        guard completion != nil else {
            channel.close(promise: nil)
            return
        }
        self.channel = channel
        let encoder = HTTPRequestEncoder()
        let decoder = ByteToMessageHandler(
            HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: .client))
        let handler = WebSocketUpgradeHandler(
            target: endpoint.target(.websocket, sid: sid),
            headers: endpoint.headers(),
            codec: [encoder, decoder],
            observer: WebSocketUpgradeHandler.Observer(
                upgrade: { self.upgrade(channel) },
                failed: { self.failed($0) }
            )
        )
        self.handler = handler
        stage(.upgrade)
        do {
            try channel.pipeline.syncOperations.addHandlers([encoder, decoder, handler])
        } catch {
            finish(.failure(.unreachable("The connection ended at once: \(error)")))
        }
    }

    private func upgrade(_ channel: any Channel) -> WebSocketConnection {
        let (transport, connection) = WebSocketTransport.make(
            on: channel, maximumMessageSize: endpoint.dialer.configuration.maximumMessageSize)
        stage(.open)
        finish(.success(transport))
        return connection
    }

    private func failed(_ failure: WebSocketUpgradeHandler.Failure) {
        let during = SocketIOConnectStage.upgrade
        let error: SocketIOConnectError =
            switch failure {
            case .refused(let refusal): .refused(status: refusal.status, body: refusal.body)
            case .invalid(let sentence): .protocolViolation(sentence)
            case .closed: .unreachable("The server closed the connection during \(during).")
            case .error(let error as HTTPParserError): .protocolViolation("The answer is not HTTP: \(error)")
            case .error(let error): .unreachable("The connection failed during \(during): \(error)")
            }
        finish(.failure(error))
    }

    private func finish(_ result: Result<WebSocketTransport, SocketIOConnectError>) {
        guard let completion = completion.take() else { return }
        handler = nil
        let channel = channel.take()
        completion(result)
        if case .failure = result {
            channel?.close(promise: nil)
        }
    }
}
