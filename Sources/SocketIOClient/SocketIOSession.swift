import EngineIO
import NIOCore
import SocketIO
import WireJSON

/// The Socket.IO side of one Engine.IO session: packets, and the namespaces that they belong to. Belongs to its event
/// loop.
///
/// It ends when its transport does, when it is disconnected, or when its last namespace has been left.
final class SocketIOSession {
    private enum State {
        /// Engine.IO's `open` is awaited.
        case opening
        case open
        case ended(SocketIODisconnectReason)
    }

    let eventLoop: any EventLoop
    let engine: EngineClient
    private let configuration: SocketIOClientConfiguration
    private var state = State.opening
    /// What the server told when it opened the session; nil before.
    private(set) var handshake: EngineHandshake?
    private var namespaces: [String: NamespaceSession] = [:]
    /// Namespaces that were left before the server had answered CONNECT: that answer must not open them there.
    private var abandoned: Set<String> = []
    private var decoder: SocketPacketDecoder

    init(configuration: SocketIOClientConfiguration, eventLoop: any EventLoop) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        engine = EngineClient(eventLoop: eventLoop)
        decoder = SocketPacketDecoder(
            limits: SocketPacketDecoder.Limits(
                maximumAttachments: configuration.maximumAttachments,
                maximumAttachmentBytes: configuration.maximumMessageSize))
        engine.session = self
    }

    /// Ends ``rest(for:)``; nil while there is none.
    private var rest: Scheduled<Void>?

    /// Whether nothing more is taken from the transport: the reader of some namespace is behind, or rests.
    var isPaused: Bool { rest != nil || namespaces.values.contains { $0.holdsSession } }

}

// MARK: - The user's side

extension SocketIOSession {
    /// Joins a namespace, now or as soon as the session is open.
    ///
    /// - Parameters:
    ///   - isFirst: whether it is the one that the session was opened for.
    ///   - outcome: told once how it went, with the server's id for the socket; never, if the namespace is left before.
    func join(
        _ name: String,
        auth: JSON?,
        isFirst: Bool = false,
        queue: SocketIOIncomingQueue,
        outcome: @escaping (Result<NamespaceAdmission, SocketIOConnectError>) -> Void
    ) -> NamespaceSession {
        let namespace = NamespaceSession(
            name, auth: auth, isFirst: isFirst, queue: queue, session: self, outcome: outcome)
        if case .ended(let reason) = state {
            namespace.end(reason, connectError: .unreachable("The connection has ended. \(reason)"))
        } else if namespaces[name] != nil {
            let error = SocketIOConnectError.invalidConfiguration("The namespace \"\(name)\" is joined already.")
            namespace.end(.clientDisconnect, connectError: error)
        } else if abandoned.contains(name) {
            // Of two answers nobody could say to which CONNECT they belong.
            let error = SocketIOConnectError.invalidConfiguration(
                "The server has not yet answered an earlier attempt to join the namespace \"\(name)\".")
            namespace.end(.clientDisconnect, connectError: error)
        } else {
            namespaces[name] = namespace
            if case .open = state {
                connect(namespace)
            }
        }
        return namespace
    }

    /// Leaves a namespace, and ends the session if it was the last.
    func leave(_ namespace: NamespaceSession) {
        guard remove(namespace) else { return }
        if namespace.isJoined {
            send(.disconnect(namespace: namespace.name))
        } else if case .open = state {
            abandoned.insert(namespace.name)
        }
        drop(namespace, .clientDisconnect)
    }

    /// Leaves all namespaces and closes the transport behind what was sent before.
    func disconnect() {
        for namespace in namespaces.values where namespace.isJoined {
            send(.disconnect(namespace: namespace.name))
        }
        end(EngineEnd(.clientDisconnect))
    }

    /// Whether what is sent leaves at once.
    var isIdle: Bool { engine.isIdle }

    func send(_ packet: SocketPacket) {
        var text = ByteBuffer()
        packet.encodeText(into: &text, engineMessage: true)
        engine.send(.text(text))
        for attachment in packet.attachments {
            engine.send(.binary(attachment))
        }
    }

    /// Takes nothing from the transport for a while, unless somebody waits for an answer.
    func rest(for time: TimeAmount) {
        guard case .open = state, rest == nil, !namespaces.values.contains(where: \.awaitsAnswer) else { return }
        rest = eventLoop.assumeIsolated().scheduleTask(in: time) { [weak self] in self?.endRest() }
        engine.pause()
    }

    func endRest() {
        guard let rest = rest.take() else { return }
        rest.cancel()
        resume()
    }

    func pause() {
        engine.pause()
    }

    func resume() {
        guard !isPaused else { return }
        engine.resume()
    }

    private func connect(_ namespace: NamespaceSession) {
        send(SocketPacket(kind: .connect, namespace: namespace.name, data: namespace.auth))
    }
}

// MARK: - The server's side

extension SocketIOSession {
    func engineOpened(_ handshake: EngineHandshake) {
        guard case .opening = state else { return }
        state = .open
        self.handshake = handshake
        for namespace in namespaces.values {
            connect(namespace)
        }
    }

    func engineEnded(_ reason: EngineEnd) {
        end(reason)
    }

    func received(text: ByteBuffer) {
        decode { decoder throws(SocketProtocolError) in try decoder.text(text) }
    }

    func received(binary: ByteBuffer) {
        decode { decoder throws(SocketProtocolError) in try decoder.binary(binary) }
    }

    /// The server has disconnected a namespace, or refused it.
    func serverLeft(_ namespace: NamespaceSession) {
        guard remove(namespace) else { return }
        drop(namespace, .serverDisconnect)
    }

    /// Ends the session for what the server did.
    func fail(_ reason: SocketIODisconnectReason) {
        end(EngineEnd(reason))
    }

    private func decode(
        _ decode: (inout SocketPacketDecoder) throws(SocketProtocolError) -> SocketPacket?
    ) {
        guard case .open = state else {
            fail(.protocolViolation("A Socket.IO packet came before the Engine.IO handshake."))
            return
        }
        do throws(SocketProtocolError) {
            guard let packet = try decode(&decoder) else { return }
            if let namespace = namespaces[packet.namespace] {
                namespace.receive(packet)
            } else if abandoned.contains(packet.namespace) {
                receive(packet, inAbandoned: packet.namespace)
            }
        } catch {
            fail(.protocolViolation(error.description))
        }
    }

    private func receive(_ packet: SocketPacket, inAbandoned namespace: String) {
        switch packet.kind {
        case .connect:
            abandoned.remove(namespace)
            send(.disconnect(namespace: namespace))
        case .connectError: abandoned.remove(namespace)
        case .event, .acknowledgement, .disconnect: break
        }
    }

    private func remove(_ namespace: NamespaceSession) -> Bool {
        guard namespaces[namespace.name] === namespace else { return false }
        namespaces[namespace.name] = nil
        return true
    }

    /// The end of a namespace that was taken out.
    private func drop(_ namespace: NamespaceSession, _ reason: SocketIODisconnectReason) {
        let heldSession = namespace.holdsSession
        namespace.end(reason, connectError: SocketIOConnectError(reason, during: .namespace))
        if namespaces.isEmpty {
            end(EngineEnd(reason))
        } else if heldSession {
            resume()
        }
    }

    private func end(_ reason: EngineEnd) {
        if case .ended = state { return }
        let stage = handshake == nil ? SocketIOConnectStage.open : .namespace
        state = .ended(reason.reason)
        rest.take()?.cancel()
        let namespaces = namespaces
        self.namespaces = [:]
        if case .protocolViolation(let sentence) = reason.reason {
            engine.close(violation: sentence)
        } else {
            engine.close()
        }
        let error = reason.connectError ?? SocketIOConnectError(reason.reason, during: stage)
        for namespace in namespaces.values {
            namespace.end(reason.reason, connectError: error)
        }
    }
}

extension SocketIOConnectError {
    /// What the end of a session is to somebody who still waits for its beginning.
    fileprivate init(_ reason: SocketIODisconnectReason, during stage: SocketIOConnectStage) {
        switch reason {
        case .protocolViolation(let sentence): self = .protocolViolation(sentence)
        case .refused(let refusal): self = .refused(status: refusal.status, body: refusal.body)
        case .transportClosed(let sentence): self = .unreachable("The connection ended during \(stage). \(sentence)")
        case .serverClosed: self = .unreachable("The connection ended during \(stage). \(reason)")
        case .serverDisconnect: self = .protocolViolation("The server disconnected before it had granted anything.")
        case .pingTimeout: self = .timedOut(stage)
        case .clientDisconnect: self = .cancelled
        }
    }
}
