import EngineIO
import NIOCore
import NIOHTTP1

/// Carries a session's packets by HTTP long-polling: a GET that waits for packets, and POSTs that bring ours, each on a
/// connection of its own.
final class PollingTransport: EngineTransport {
    /// How many packets of an answer are delivered before others on the event loop have their turn.
    private static let packetsPerTurn = 1_024
    /// How long polls stand still for a probe that has no answer.
    private static let longestHold = TimeAmount.seconds(1)
    /// How long a server may take over the last POST.
    private static let closeTimeout = TimeAmount.seconds(2)

    let kind = SocketIOTransport.polling
    var owner: (any EngineTransportOwner)?
    private let endpoint: EngineEndpoint
    private let getting: HTTPLane
    private let posting: HTTPLane
    private var machine = PollingMachine()
    private var sid: String?
    /// How long the server may take over a POST.
    private var patience = TimeAmount.zero
    private var postDeadline: Scheduled<Void>?
    private var closeDeadline: Scheduled<Void>?
    private var hold: Scheduled<Void>?
    private var drained: (() -> Void)?
    private var isRunning = false
    private var isOver = false
    private let end: EventLoopPromise<Void>

    /// - Parameter stage: hears how far the first connection has come.
    init(_ endpoint: EngineEndpoint, stage: @escaping (SocketIOConnectStage) -> Void) {
        self.endpoint = endpoint
        let limit = endpoint.dialer.configuration.maximumMessageSize
        getting = HTTPLane(endpoint.dialer, maximumBodySize: limit, stage: stage)
        posting = HTTPLane(endpoint.dialer, maximumBodySize: SocketIORefusal.maximumBodySize)
        end = endpoint.dialer.eventLoop.makePromise()
    }

    deinit {
        if !isOver { end.succeed() }
    }

    private var eventLoop: any EventLoop { endpoint.dialer.eventLoop }

    /// Asks the server for a session.
    func start() {
        run()
    }

    // MARK: The owner's side

    var isWritable: Bool { machine.isWritable }
    var isIdle: Bool { machine.isIdle }
    var channel: (any Channel)? { getting.channel }
    var closed: EventLoopFuture<Void> { end.futureResult }

    func send(_ frame: EngineFrame) {
        machine.send(frame)
    }

    func flush() {
        machine.flush()
        run()
    }

    func pause() {
        machine.pause()
    }

    func resume() {
        machine.resume()
        run()
    }

    func close(violation: String?) {
        guard !isOver else { return }
        owner = nil
        drained = nil
        closeDeadline = eventLoop.assumeIsolated().scheduleTask(in: Self.closeTimeout) { self.finish() }
        machine.close()
        run()
    }

    /// Sends no new poll for a while, since ``drain(_:)`` is likely to follow: a server ends the poll that it has when a
    /// WebSocket is probed, and may do so but once. Another poll that is sent then, before the probe's answer is here,
    /// would have to wait for the next packet, and the move with it.
    func holdPolls() {
        machine.hold()
        hold = eventLoop.assumeIsolated().scheduleTask(in: Self.longestHold) { self.reopen() }
    }

    /// Sends no new request, and calls back when those under way are over and all that they brought was delivered.
    func drain(_ completion: @escaping () -> Void) {
        hold?.cancel()
        drained = completion
        machine.drain()
        run()
    }

    /// Goes on after ``holdPolls()`` or ``drain(_:)``.
    func reopen() {
        hold?.cancel()
        drained = nil
        machine.reopen()
        run()
    }

    /// After ``drain(_:)``: ends the transport without another word to the server.
    ///
    /// - Returns: the packets that were to be sent and no request has taken.
    func retire() -> [EngineFrame] {
        owner = nil
        let unsent = machine.takeUnsent()
        finish()
        return unsent
    }

    // MARK: Running the machine

    private func run() {
        guard !isRunning else { return }
        isRunning = true
        defer { isRunning = false }
        var delivered = 0
        while !isOver {
            guard delivered < Self.packetsPerTurn else {
                eventLoop.assumeIsolated().execute { self.run() }
                return
            }
            do throws(EngineProtocolError) {
                guard let action = try machine.next() else { return }
                if case .deliver = action { delivered += 1 }
                perform(action)
            } catch {
                fail(.protocolViolation(error.description))
            }
        }
    }

    private func perform(_ action: PollingMachine.Action) {
        switch action {
        case .poll: poll()
        case .post(let body): post(body)
        case .deliver(let packet): deliver(packet)
        case .drained: drained.take()?()
        case .finished: finish()
        }
    }

    private func deliver(_ packet: EnginePacket) {
        if sid == nil {
            guard case .open(let handshake) = packet else {
                fail(.protocolViolation("The server's first answer is no Engine.IO handshake."))
                return
            }
            sid = handshake.sid
            patience = .milliseconds(handshake.pingInterval) + .milliseconds(handshake.pingTimeout)
            machine.opened(maximumBody: handshake.maxPayload)
        }
        if case .close = packet {
            // There is no session any more that a goodbye could be sent to.
            let owner = owner.take()
            finish()
            owner?.transport(self, received: packet)
        } else {
            owner?.transport(self, received: packet)
        }
    }

    private func poll() {
        let request = PollingRequest(
            method: .GET, target: endpoint.target(.polling, sid: sid), headers: endpoint.headers())
        // A GET that finds its connection closed loses nothing by being sent again: if the server saw it, the session
        // is over, and otherwise the packets are still there.
        getting.send(request, isRepeatable: true) { result in
            guard let body = self.judge(result) else { return }
            self.machine.received(body)
            self.run()
        }
    }

    private func post(_ body: ByteBuffer) {
        var headers = endpoint.headers()
        headers.replaceOrAdd(name: "Content-Type", value: "text/plain;charset=UTF-8")
        let request = PollingRequest(
            method: .POST, target: endpoint.target(.polling, sid: sid), headers: headers, body: body)
        postDeadline = eventLoop.assumeIsolated().scheduleTask(in: patience) {
            self.fail(.transportClosed("The server did not answer a POST in time."))
        }
        // Never a second time: the packets might arrive twice.
        posting.send(request, isRepeatable: false) { result in
            self.postDeadline?.cancel()
            guard self.judge(result) != nil else { return }
            self.machine.posted()
            self.run()
        }
        if machine.isWritable {
            owner?.transportBecameWritable(self)
        }
    }

    // MARK: The end

    /// The body of an answer that is one; anything else ends the transport.
    private func judge(_ result: Result<PollingAnswer, PollingFailure>) -> ByteBuffer? {
        guard !isOver else { return nil }
        switch result {
        case .success(let answer):
            endpoint.received(answer.headers)
            if answer.status == 200 { return answer.body }
            fail(.refused(SocketIORefusal(status: answer.status, body: String(buffer: answer.body))))
        case .failure(.dialling(let error)): fail(.transportClosed(error.description), as: error)
        case .failure(.closed(let sentence)), .failure(.unanswered(let sentence)): fail(.transportClosed(sentence))
        case .failure(.violation(let sentence)): fail(.protocolViolation(sentence))
        }
        return nil
    }

    private func fail(_ reason: SocketIODisconnectReason, as error: SocketIOConnectError? = nil) {
        guard !isOver else { return }
        let owner = owner.take()
        finish()
        owner?.transport(self, ended: EngineEnd(reason, connectError: error))
    }

    private func finish() {
        guard !isOver else { return }
        isOver = true
        drained = nil
        hold?.cancel()
        postDeadline?.cancel()
        closeDeadline?.cancel()
        getting.close()
        posting.close()
        getting.closed.and(posting.closed).map { _ in }.cascade(to: end)
    }
}
