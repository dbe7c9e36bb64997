import EngineIO
import NIOCore

/// Tries out whether a session's server can be reached by WebSocket: opens one, sends a ping of `probe` on it, and waits
/// for the pong. Until that has come, and the session has taken the transport, nothing of the session travels on it.
final class UpgradeProbe: EngineTransportOwner {
    /// What a probe comes to; `failed` may still follow `confirmed`.
    enum Report {
        /// The ping is on its way.
        case probing
        /// The server answers; ``UpgradeProbe/take()`` gives the transport.
        case confirmed
        case failed
    }

    private enum State {
        case opening(WebSocketOpening)
        /// The ping was sent.
        case probing(WebSocketTransport)
        case confirmed(WebSocketTransport)
        case over
    }

    private static let payload = ByteBuffer(string: "probe")
    /// How long all of it may take, the end of polling included: what is sent meanwhile may have to wait for it.
    private static let longestTime = TimeAmount.seconds(10)

    private var state: State
    private var report: ((Report) -> Void)?
    private var deadline: Scheduled<Void>?

    /// - Parameter report: called on the event loop, and no more after ``take()`` or ``cancel()``.
    init(_ endpoint: EngineEndpoint, sid: String, report: @escaping (Report) -> Void) {
        self.report = report
        let opening = WebSocketOpening(endpoint, sid: sid)
        state = .opening(opening)
        let time = min(TimeAmount(waiting: endpoint.dialer.configuration.connectTimeout), Self.longestTime)
        deadline = endpoint.dialer.eventLoop.assumeIsolated().scheduleTask(in: time) { self.fail() }
        opening.start { result in
            switch result {
            case .success(let transport): self.opened(transport)
            case .failure: self.fail()
            }
        }
    }

    /// Takes over a transport that was confirmed; nil when it has ended meanwhile.
    func take() -> WebSocketTransport? {
        guard case .confirmed(let transport) = state else { return nil }
        finish()
        transport.owner = nil
        return transport
    }

    /// Gives up; nobody is told.
    func cancel() {
        let before = state
        finish()
        switch before {
        case .opening(let opening): opening.cancel()
        case .probing(let transport), .confirmed(let transport): transport.close(violation: nil)
        case .over: break
        }
    }

    private func opened(_ transport: WebSocketTransport) {
        state = .probing(transport)
        transport.owner = self
        // The handler that the transport stands on comes into the pipeline when this returns.
        transport.closed.eventLoop.assumeIsolated().execute {
            transport.send(EngineFrame(.ping(Self.payload)))
            transport.flush()
            self.report?(.probing)
        }
    }

    private func fail() {
        let report = report
        cancel()
        report?(.failed)
    }

    private func finish() {
        state = .over
        report = nil
        deadline?.cancel()
        deadline = nil
    }

    func transport(_ transport: any EngineTransport, received packet: EnginePacket) {
        guard case .probing(let transport) = state, case .pong(Self.payload) = packet else { return fail() }
        state = .confirmed(transport)
        report?(.confirmed)
    }

    func transport(_ transport: any EngineTransport, ended end: EngineEnd) {
        fail()
    }

    func transportBecameWritable(_ transport: any EngineTransport) {}

    /// The session hears of it by its own transport.
    func transportShouldQuiesce(_ transport: any EngineTransport) {}
}
