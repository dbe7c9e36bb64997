public import NIOCore
import SocketIO
public import WireJSON

/// Why a client's acknowledgement will not come.
public enum AcknowledgementError: Error, Sendable, Equatable {
    /// It did not come in time. If it comes yet, it is ignored.
    case timedOut
    /// The socket was not accepted yet: nothing was sent.
    case notConnected
    /// The socket was gone, or went before the client answered.
    case disconnected(DisconnectReason)
    /// The task that waited was cancelled. The client may have been asked.
    case cancelled
    /// As many are outstanding as ``SocketIOServerConfiguration/maximumPendingAcknowledgements`` allows: nothing was
    /// sent.
    case tooManyOutstanding(limit: Int)
}

extension AcknowledgementError: CustomStringConvertible {
    /// A sentence for a log.
    public var description: String {
        switch self {
        case .timedOut: "The client did not acknowledge the event in time."
        case .notConnected: "The socket is not connected yet."
        case .disconnected(let reason): "The socket is gone (\(reason))."
        case .cancelled: "The wait for an acknowledgement was cancelled."
        case .tooManyOutstanding(let limit): "The client already owes \(limit) acknowledgements."
        }
    }
}

extension Socket {
    /// Sends an event and waits for the client's acknowledgement. May be called from anywhere.
    ///
    /// A handler of this socket's events may wait here. Meanwhile the client's further events wait for their turn, and
    /// once ``SocketIOServerConfiguration/maximumPendingEvents`` of them do, nothing more is read from the client: then
    /// the time-out comes before the answer.
    ///
    /// - Parameters:
    ///   - attachments: the bytes that ``WireJSON/JSON/attachment(_:)`` stands for in the arguments.
    ///   - timeout: how long to wait.
    /// - Throws: ``AcknowledgementError``.
    public func emitWithAcknowledgement(
        _ name: String, _ arguments: [JSON] = [], attachments: [ByteBuffer] = [], timeout: TimeAmount = .seconds(30)
    ) async throws(AcknowledgementError) -> SocketAcknowledgement {
        let waiter = AcknowledgementWaiter()
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ask: @Sendable () -> Void = {
                    waiter.continuation = continuation
                    self.ask(waiter, timeout: timeout) { id in
                        .event(name, arguments, id: id, namespace: self.namespace, attachments: attachments)
                    }
                }
                if eventLoop.inEventLoop { ask() } else { eventLoop.execute(ask) }
            }
        } onCancel: {
            eventLoop.execute { self.cancel(waiter) }
        }
        if case .failure(let error) = answer { hub.metrics.acknowledgementMissing(error) }
        return try answer.get()
    }

    private func ask(_ waiter: AcknowledgementWaiter, timeout: TimeAmount, packet: (_ id: Int64) -> SocketPacket) {
        switch state {
        case .connecting: return waiter.resume(with: .failure(.notConnected))
        case .disconnected(let reason): return waiter.resume(with: .failure(.disconnected(reason)))
        case .connected: break
        }
        guard !waiter.isCancelled else { return waiter.resume(with: .failure(.cancelled)) }
        guard acknowledgements.count < maximumPendingAcknowledgements else {
            return waiter.resume(with: .failure(.tooManyOutstanding(limit: maximumPendingAcknowledgements)))
        }
        let id = acknowledgements.register(waiter)
        waiter.id = id
        waiter.deadline = eventLoop.assumeIsolated().scheduleTask(in: timeout) { [weak self] in
            self?.resolve(id, with: .failure(.timedOut))
        }
        session?.send(packet(id))
    }

    private func cancel(_ waiter: AcknowledgementWaiter) {
        waiter.isCancelled = true
        if let id = waiter.id { resolve(id, with: .failure(.cancelled)) }
    }

    /// The client's answer. One that nobody waits for came too late, or is made up: neither does harm.
    func acknowledged(_ packet: SocketPacket) {
        guard let id = packet.id else { return }
        let answer = SocketAcknowledgement(packet.arguments, attachments: packet.attachments)
        if !resolve(id, with: .success(answer)) { hub.metrics.acknowledgementUnexpected() }
    }

    /// - Returns: whether anybody waited.
    @discardableResult
    private func resolve(_ id: Int64, with answer: AcknowledgementWaiter.Answer) -> Bool {
        guard let waiter = acknowledgements.resolve(id) else { return false }
        waiter.resume(with: answer)
        return true
    }
}

/// One question to a client, and the task that waits for the answer.
///
/// Unchecked: but for its making, it is touched on the socket's event loop only.
final class AcknowledgementWaiter: @unchecked Sendable {
    typealias Answer = Result<SocketAcknowledgement, AcknowledgementError>

    var continuation: CheckedContinuation<Answer, Never>?
    /// Nil before the client is asked, and once it matters no more.
    var id: Int64?
    var deadline: Scheduled<Void>?
    var isCancelled = false

    /// Ends the wait; only the first call counts.
    func resume(with answer: Answer) {
        deadline?.cancel()
        deadline = nil
        id = nil
        continuation.take()?.resume(returning: answer)
    }
}
