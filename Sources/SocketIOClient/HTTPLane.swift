import NIOCore
import NIOHTTP1

/// One kept-alive connection for one request at a time, opened anew when the server has closed it between two.
/// Belongs to its event loop.
final class HTTPLane {
    private enum State {
        /// There is no connection.
        case resting
        case dialling(Dialling)
        /// Requests can be sent until the deadline, which is the server's.
        case open(HTTPExchange, until: NIODeadline)
        /// A request is under way.
        case busy(HTTPExchange)
        case closed
    }

    private let dialer: HTTPDialer
    private let maximumBodySize: Int
    private let stage: (SocketIOConnectStage) -> Void
    private var state = State.resting
    /// The connection at hand, or the last one.
    private(set) var channel: (any Channel)?

    /// - Parameter stage: hears how far a connection has come that has to be opened.
    init(_ dialer: HTTPDialer, maximumBodySize: Int, stage: @escaping (SocketIOConnectStage) -> Void = { _ in }) {
        self.dialer = dialer
        self.maximumBodySize = maximumBodySize
        self.stage = stage
    }

    /// Done when there is no connection any more.
    var closed: EventLoopFuture<Void> {
        channel?.closeFuture ?? dialer.eventLoop.makeSucceededVoidFuture()
    }

    /// Sends a request, when the one before has been answered.
    ///
    /// - Parameters:
    ///   - isRepeatable: whether to send it once more if a connection that was used before ends without an answer: as a
    ///     rule the server had closed it before it saw the request, but it may have acted on it.
    ///   - completion: called once, on the event loop, unless the lane is closed before.
    func send(_ request: PollingRequest, isRepeatable: Bool, completion: @escaping HTTPExchange.Completion) {
        switch state {
        case .open(let exchange, let deadline):
            guard exchange.isIdle, dialer.eventLoop.now < deadline else {
                channel?.close(promise: nil)
                dial(request, completion)
                return
            }
            send(request, on: exchange) { result in
                if isRepeatable, case .failure(.unanswered) = result {
                    self.dial(request, completion)
                } else {
                    completion(result)
                }
            }
        case .resting: dial(request, completion)
        case .dialling, .busy: assertionFailure("A request is under way.")
        case .closed: break
        }
    }

    /// Closes the connection; what waits for an answer hears nothing more.
    func close() {
        if case .dialling(let dialling) = state {
            dialling.cancel()
        }
        state = .closed
        channel?.close(promise: nil)
    }

    private func dial(_ request: PollingRequest, _ completion: @escaping HTTPExchange.Completion) {
        state = .resting
        let dialling = dialer.dial(stage: stage) { result in
            switch result {
            case .success(let channel): self.opened(channel, request, completion)
            case .failure(let error):
                self.state = .resting
                completion(.failure(.dialling(error)))
            }
        }
        if case .resting = state {
            state = .dialling(dialling)
        }
    }

    private func opened(
        _ channel: any Channel, _ request: PollingRequest, _ completion: @escaping HTTPExchange.Completion
    ) {
        self.channel = channel
        do {
            let exchange = try HTTPExchange.add(to: channel, maximumBodySize: maximumBodySize)
            stage(.open)
            send(request, on: exchange, completion: completion)
        } catch {
            state = .resting
            completion(.failure(.closed("The connection ended at once: \(error)")))
        }
    }

    private func send(
        _ request: PollingRequest, on exchange: HTTPExchange, completion: @escaping HTTPExchange.Completion
    ) {
        state = .busy(exchange)
        exchange.send(request) { result in
            guard case .busy = self.state else { return }
            if case .success(let answer) = result, answer.reusable != .zero {
                let patience = answer.reusable ?? .hours(24)
                self.state = .open(exchange, until: self.dialer.eventLoop.now + patience)
            } else {
                self.state = .resting
                self.channel?.close(promise: nil)
            }
            completion(result)
        }
    }
}
