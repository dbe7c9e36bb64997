import NIOCore
import NIOHTTP1

/// A request of the polling transport.
struct PollingRequest {
    var method: HTTPMethod
    var target: String
    var headers: HTTPHeaders
    /// Nil for a request without one.
    var body: ByteBuffer?
}

/// A whole answer.
struct PollingAnswer {
    var status: Int
    var headers: HTTPHeaders
    /// Of a refusal no more than ``SocketIORefusal/maximumBodySize``.
    var body: ByteBuffer
    /// How long the connection may be used for another request: for ever with nil, which the server limits with
    /// `Keep-Alive: timeout=5`; not at all with zero.
    var reusable: TimeAmount?
}

/// Why a request has no answer.
enum PollingFailure: Error, Equatable {
    /// There is no connection to be had.
    case dialling(SocketIOConnectError)
    /// The connection ended in the middle of an answer; the sentence says how.
    case closed(String)
    /// The connection ended before the first byte of an answer.
    case unanswered(String)
    /// The answer is no valid one.
    case violation(String)
}

/// The last handler of a connection that carries one request at a time. Belongs to its event loop.
final class HTTPExchange: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart
    typealias Completion = (Result<PollingAnswer, PollingFailure>) -> Void

    private enum State {
        /// Between two requests.
        case idle
        /// The request was sent.
        case waiting(Completion)
        case receiving(HTTPResponseHead, ByteBuffer, Completion)
        /// No further request can be sent.
        case ended
    }

    /// The longest body accepted, in bytes.
    private let maximumBodySize: Int
    private var state = State.idle
    private var context: ChannelHandlerContext?

    private init(maximumBodySize: Int) {
        self.maximumBodySize = maximumBodySize
    }

    /// Adds the handlers of HTTP to a channel, this one last.
    static func add(to channel: any Channel, maximumBodySize: Int) throws -> HTTPExchange {
        let exchange = HTTPExchange(maximumBodySize: maximumBodySize)
        let decoder = HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: .client)
        try channel.pipeline.syncOperations.addHandlers([
            HTTPRequestEncoder(), ByteToMessageHandler(decoder), exchange,
        ])
        return exchange
    }

    /// Whether a request can be sent.
    var isIdle: Bool {
        if case .idle = state { context?.channel.isActive == true } else { false }
    }

    /// Sends a request. The completion is called once, on the event loop.
    func send(_ request: PollingRequest, completion: @escaping Completion) {
        guard isIdle, let context else {
            completion(.failure(.unanswered("The connection has ended.")))
            return
        }
        state = .waiting(completion)
        var head = HTTPRequestHead(
            version: .http1_1, method: request.method, uri: request.target, headers: request.headers)
        if let body = request.body {
            head.headers.replaceOrAdd(name: "Content-Length", value: String(body.readableBytes))
        }
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        if let body = request.body {
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        fail(.closed("The connection ended."))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head): received(head)
        case .body(let bytes): received(bytes)
        case .end: receivedEnd()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(.closed("The server closed the connection."))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? HTTPParserError {
            fail(.violation("The answer is not HTTP: \(error)"))
        } else if let error = error as? NIOHTTPDecoderError {
            fail(.violation("The answer is not one to a request of this client: \(error)"))
        } else {
            fail(.closed("The connection failed: \(error)"))
        }
    }

    private func received(_ head: HTTPResponseHead) {
        guard case .waiting(let completion) = state else { return }
        if let coding = head.headers.first(name: "Content-Encoding"), coding.lowercased() != "identity" {
            fail(.violation("The answer has a content coding that was not asked for."))
            return
        }
        state = .receiving(head, ByteBuffer(), completion)
    }

    private func received(_ bytes: ByteBuffer) {
        guard case .receiving(let head, var body, let completion) = state else { return }
        // The state lets go of its buffer, or each part would copy those before it.
        state = .ended
        if head.status == .ok {
            guard bytes.readableBytes <= maximumBodySize - body.readableBytes else {
                state = .receiving(head, body, completion)
                fail(.violation("An answer is longer than \(maximumBodySize) bytes."))
                return
            }
            body.writeImmutableBuffer(bytes)
            state = .receiving(head, body, completion)
            return
        }
        let room = SocketIORefusal.maximumBodySize - body.readableBytes
        body.writeImmutableBuffer(
            bytes.getSlice(at: bytes.readerIndex, length: min(room, bytes.readableBytes)) ?? bytes)
        if body.readableBytes < SocketIORefusal.maximumBodySize {
            state = .receiving(head, body, completion)
        } else {
            // The rest isn't worth its reading.
            answer(head, body, completion, isReusable: false)
        }
    }

    private func receivedEnd() {
        guard case .receiving(let head, let body, let completion) = state else { return }
        answer(head, body, completion, isReusable: head.isKeepAlive)
    }

    private func answer(
        _ head: HTTPResponseHead, _ body: ByteBuffer, _ completion: Completion, isReusable: Bool
    ) {
        state = isReusable ? .idle : .ended
        if !isReusable {
            context?.close(promise: nil)
        }
        completion(
            .success(
                PollingAnswer(
                    status: Int(head.status.code), headers: head.headers, body: body,
                    reusable: isReusable ? head.headers.keepAliveTimeout : .zero)))
    }

    private func fail(_ failure: PollingFailure) {
        let before = state
        state = .ended
        // Also what comes between two requests ends the connection: nobody knows what it would be the answer to.
        context?.close(promise: nil)
        switch (before, failure) {
        case (.idle, _), (.ended, _): break
        case (.waiting(let completion), .closed(let sentence)): completion(.failure(.unanswered(sentence)))
        case (.waiting(let completion), _), (.receiving(_, _, let completion), _): completion(.failure(failure))
        }
    }
}

extension HTTPHeaders {
    /// How long the server keeps an idle connection, from `Keep-Alive: timeout=5`, less a second for the way; nil when
    /// it doesn't say.
    var keepAliveTimeout: TimeAmount? {
        for parameter in self[canonicalForm: "Keep-Alive"] {
            let parts = parameter.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "timeout", let seconds = Int32(parts[1]) else { continue }
            return seconds > 1 ? .seconds(Int64(seconds) - 1) : .zero
        }
        return nil
    }
}
