import NIOCore

/// One attempt to connect, from the host's name to the granted namespace, under one deadline. Belongs to its event
/// loop; ends exactly once, with a connection or with an error and everything closed.
final class ConnectAttempt {
    private let dialer: HTTPDialer
    private let endpoint: EngineEndpoint
    private var promise: EventLoopPromise<SocketIOConnection>?
    private var deadline: Scheduled<Void>?
    private var stage = SocketIOConnectStage.transport
    /// Those that were not tried yet.
    private var transports: ArraySlice<SocketIOTransport>
    private var opening: WebSocketOpening?
    private var session: SocketIOSession?

    init(_ dialer: HTTPDialer, promise: EventLoopPromise<SocketIOConnection>) {
        self.dialer = dialer
        self.promise = promise
        endpoint = EngineEndpoint(dialer)
        transports = dialer.configuration.transports[...]
    }

    private var configuration: SocketIOClientConfiguration { dialer.configuration }

    func start() {
        let timeout = TimeAmount(waiting: configuration.connectTimeout)
        deadline = dialer.eventLoop.assumeIsolated().scheduleTask(in: timeout) { self.timedOut() }
        tryNext()
    }

    func cancel() {
        fail(.cancelled)
    }

    private func tryNext() {
        switch transports.popFirst() {
        case .websocket?: openWebSocket()
        case .polling?: openPolling()
        case nil: break
        }
    }

    private func openWebSocket() {
        let opening = WebSocketOpening(endpoint, sid: nil) { self.stage = $0 }
        self.opening = opening
        opening.start { result in
            self.opening = nil
            switch result {
            case .success(let transport): self.makeSession().engine.attach(transport)
            case .failure(let error): self.failed(error)
            }
        }
    }

    private func openPolling() {
        let transport = PollingTransport(endpoint) { self.stage = $0 }
        let upgrades = transports.first == .websocket
        makeSession().engine.attach(transport, upgradingAt: upgrades ? endpoint : nil)
        transport.start()
    }

    private func makeSession() -> SocketIOSession {
        let session = SocketIOSession(configuration: configuration, eventLoop: dialer.eventLoop)
        self.session = session
        let queue = SocketIOIncomingQueue(limit: configuration.maximumUnreadElements, eventLoop: dialer.eventLoop)
        var namespace: NamespaceSession?
        namespace = session.join(configuration.namespace, auth: configuration.auth, isFirst: true, queue: queue) {
            [weak session] result in
            switch result {
            case .success(let admission):
                guard let session, let namespace else { return }
                self.joined(SocketIONamespace(admission, session: namespace, queue: queue), session)
            case .failure(let error):
                self.failed(error)
            }
            namespace = nil
        }
        return session
    }

    private func timedOut() {
        if let refusal = opening?.pendingRefusal {
            fail(.refused(status: refusal.status, body: refusal.body))
        } else {
            fail(.timedOut(session?.handshake == nil ? stage : .namespace))
        }
    }

    private func joined(_ namespace: SocketIONamespace, _ session: SocketIOSession) {
        guard let handshake = session.handshake, let promise = promise.take() else { return }
        release()
        promise.succeed(
            SocketIOConnection(main: namespace, handshake: handshake, session: session, configuration: configuration))
    }

    /// A transport failed, or the namespace was refused. Where the server was reached but didn't open a session by one
    /// transport, it may by another.
    private func failed(_ error: SocketIOConnectError) {
        guard promise != nil else { return }
        switch (stage, error) {
        case (.upgrade, _) where !transports.isEmpty, (.open, _) where !transports.isEmpty && session?.handshake == nil:
            session = nil
            tryNext()
        default: fail(error)
        }
    }

    private func fail(_ error: SocketIOConnectError) {
        guard let promise = promise.take() else { return }
        let (opening, session) = (opening, session)
        release()
        promise.fail(error)
        opening?.cancel()
        // A session says goodbye, but its answer isn't waited for.
        session?.disconnect()
    }

    /// Lets go of everything that refers back to this attempt.
    private func release() {
        deadline?.cancel()
        deadline = nil
        opening = nil
        session = nil
    }
}
