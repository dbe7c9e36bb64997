import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import WebSocketLink

/// One attempt to connect, from the host's name to the granted namespace, under one deadline. Belongs to its event
/// loop; ends exactly once, with a connection or with an error and a closed channel.
final class ConnectAttempt {
    private let configuration: SocketIOClientConfiguration
    private let tls: NIOSSLContext?
    private let eventLoop: any EventLoop
    private var promise: EventLoopPromise<SocketIOConnection>?
    private var deadline: Scheduled<Void>?
    private var stage = SocketIOConnectStage.transport
    private var channel: (any Channel)?
    private var upgradeHandler: WebSocketUpgradeHandler?
    private var session: SocketIOSession?

    init(
        configuration: SocketIOClientConfiguration,
        tls: NIOSSLContext?,
        eventLoop: any EventLoop,
        promise: EventLoopPromise<SocketIOConnection>
    ) {
        self.configuration = configuration
        self.tls = tls
        self.eventLoop = eventLoop
        self.promise = promise
    }

    func start() {
        let timeout = TimeAmount(waiting: configuration.connectTimeout)
        deadline = eventLoop.assumeIsolated().scheduleTask(in: timeout) { self.timedOut() }
        // The bootstrap's own time-out stands back behind the deadline, which knows the stage.
        ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout + .seconds(1))
            .connect(host: configuration.host, port: configuration.port)
            .hop(to: eventLoop)
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let channel): self.connected(channel)
                case .failure(let error):
                    let detail = (error as? NIOConnectionError)?.sentence ?? String(describing: error)
                    self.fail(.unreachable("\(self.configuration.authority) can't be reached: \(detail)"))
                }
            }
    }

    func cancel() {
        fail(.cancelled)
    }

    private func timedOut() {
        if let refusal = upgradeHandler?.pendingRefusal {
            fail(.refused(status: refusal.status, body: refusal.body))
        } else {
            fail(.timedOut(session?.stage ?? stage))
        }
    }

    private func connected(_ channel: any Channel) {
        guard promise != nil else {
            channel.close(promise: nil)
            return
        }
        self.channel = channel
        do {
            try addHandlers(to: channel.pipeline.syncOperations)
        } catch let error as NIOSSLExtraError {
            fail(.tlsFailed(String(describing: error)))
        } catch {
            fail(.unreachable("The connection ended at once: \(error)"))
        }
    }

    private func addHandlers(to pipeline: ChannelPipeline.SynchronousOperations) throws {
        var headers = HTTPHeaders(configuration.headers)
        if !headers.contains(name: "Host") {
            headers.add(name: "Host", value: configuration.authority)
        }
        let encoder = HTTPRequestEncoder()
        let decoder = ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes))
        let upgrade = WebSocketUpgradeHandler(
            target: configuration.webSocketTarget,
            headers: headers,
            codec: [encoder, decoder],
            observer: WebSocketUpgradeHandler.Observer(
                tlsEstablished: { self.stage = .upgrade },
                upgrade: { self.makeWebSocket() },
                failed: { self.upgradeFailed($0) }
            )
        )
        stage = tls == nil ? .upgrade : .tls
        upgradeHandler = upgrade
        if let tls {
            try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: configuration.tlsServerName))
        }
        try pipeline.addHandlers([encoder, decoder, upgrade])
    }

    private func makeWebSocket() -> WebSocketConnection {
        upgradeHandler = nil
        let queue = SocketIOIncomingQueue(limit: configuration.maximumUnreadElements, eventLoop: eventLoop)
        let session = SocketIOSession(configuration: configuration, queue: queue, eventLoop: eventLoop) { result in
            switch result {
            case .success(let joined): self.joined(joined, queue)
            case .failure(let error): self.fail(error)
            }
        }
        self.session = session
        return WebSocketTransport.makeHandler(for: session, maximumMessageSize: configuration.maximumMessageSize)
    }

    private func upgradeFailed(_ failure: WebSocketUpgradeHandler.Failure) {
        switch failure {
        case .refused(let status, let body): fail(.refused(status: status, body: body))
        case .invalid(let sentence): fail(.protocolViolation(sentence))
        case .closed: fail(.unreachable("The server closed the connection during \(stage)."))
        case .error(let error) where stage == .tls: fail(.tlsFailed(String(describing: error)))
        case .error(let error as HTTPParserError): fail(.protocolViolation("The answer is not HTTP: \(error)"))
        case .error(let error): fail(.unreachable("The connection failed during \(stage): \(error)"))
        }
    }

    private func joined(_ joined: SocketIOSession.Joined, _ queue: SocketIOIncomingQueue) {
        guard let channel, let session, let promise = promise.take() else { return }
        release()
        promise.succeed(SocketIOConnection(channel: channel, session: session, joined: joined, queue: queue))
    }

    private func fail(_ error: SocketIOConnectError) {
        guard let promise = promise.take() else { return }
        let (channel, session) = (channel, session)
        release()
        promise.fail(error)
        // A session says goodbye, but its answer isn't waited for.
        session?.disconnect()
        channel?.close(promise: nil)
    }

    /// Lets go of everything that refers back to this attempt.
    private func release() {
        deadline?.cancel()
        deadline = nil
        channel = nil
        session = nil
        upgradeHandler = nil
    }
}

extension NIOSSLContext {
    /// The context that a configuration asks for, or nil without TLS. Reads files.
    static func make(for configuration: SocketIOClientConfiguration) throws(SocketIOConnectError) -> NIOSSLContext? {
        guard configuration.isSecure else { return nil }
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.applicationProtocols = ["http/1.1"]
        do {
            if let file = configuration.trustRootsFile {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(file))
            }
            return try NIOSSLContext(configuration: tls)
        } catch {
            let source = configuration.trustRootsFile.map { " with the certificates in \($0)" } ?? ""
            throw .invalidConfiguration("TLS can't be set up\(source): \(error)")
        }
    }
}

extension NIOConnectionError {
    /// What went wrong, once per reason rather than once per address.
    fileprivate var sentence: String {
        var reasons: [String] = []
        for failure in connectionErrors {
            let reason = String(describing: failure.error)
            if !reasons.contains(reason) {
                reasons.append(reason)
            }
        }
        guard reasons.isEmpty, let lookup = dnsAError ?? dnsAAAAError else { return reasons.joined(separator: "; ") }
        let detail = (lookup as? SocketAddressError.UnknownHost)?.errorDescription ?? String(describing: lookup)
        return "the name was not found (\(detail))"
    }
}

extension TimeAmount {
    /// A time to wait, within what deadlines can be computed with: from nothing to a year.
    init(waiting duration: Duration) {
        self = TimeAmount(min(max(duration, .zero), .seconds(365 * 24 * 3600)))
    }
}
