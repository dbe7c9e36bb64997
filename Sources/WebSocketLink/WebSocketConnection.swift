import NIOCore

/// One WebSocket connection, from bytes to messages and back: the only handler that its channel needs once the opening
/// handshake is done. Bytes that came right behind the handshake may be handed to it as an ordinary read.
///
/// It answers pings, runs the closing handshake, and fails the connection at the first violation of RFC 6455. It has
/// no task and no timer while the connection is open, and while nothing is under way it holds no buffer. Everything
/// here belongs to the channel's event loop.
///
/// Frames that are sent are kept until ``flush()`` and then leave in one write where they are small, so that a burst
/// costs one system call. A single frame, as it is shared between connections, isn't copied on its way.
public final class WebSocketConnection: ChannelInboundHandler {
    public typealias InboundIn = ByteBuffer
    public typealias OutboundOut = ByteBuffer

    enum State {
        /// Frames go both ways.
        case open
        /// Our Close was sent and the peer's is awaited until the deadline; data that still comes is dropped.
        case closing(deadline: Scheduled<Void>)
        /// The end has been reported. What was written gets until the deadline; nothing is parsed any more.
        case finishing(deadline: Scheduled<Void>)
        /// The channel is gone, or about to be by ``abort()``.
        case closed
    }

    // What each message that is sent touches stands first, and together.
    var context: ChannelHandlerContext?
    /// Nil where nothing is written past the pipeline, and from the moment that the channel may have closed its socket,
    /// whose number can be another one's by then. Known here, as asking the channel would cost more than the rest.
    var directSocket: DirectSocket?
    var state = State.open
    /// Frames that weren't handed to the channel yet.
    var held = ByteBuffer()
    /// False only if the channel is known to hold no bytes of ours, so that nobody needs to ask it.
    var channelMayHoldBytes = false
    var isParsing = false
    var needsFlush = false
    var isAwaitingRoom = false
    /// Whether ``pause()`` holds back what comes.
    public internal(set) var isPaused = false
    let writesDirectly: Bool
    public let role: WebSocketRole
    var delegate: (any WebSocketDelegate)?
    /// How long the peer may take to answer a Close, or to read the last bytes, before the channel is closed.
    let closeTimeout: TimeAmount
    let unsentLimit: Int?
    var parser: WebSocketFrameParser
    var assembler: WebSocketMessageAssembler
    /// The last ping that came while the channel wasn't writable; earlier ones need no answer (RFC 6455 section 5.5.3).
    var unansweredPing: ByteBuffer?

    /// - Parameters:
    ///   - role: which end of the connection this is.
    ///   - maximumMessageSize: the longest message accepted, in bytes. More than that fails the connection with 1009.
    ///   - closeTimeout: how long a closing handshake may take before the channel is closed without it.
    ///   - writesDirectly: whether to write to the channel's socket past the pipeline while the socket takes all of it,
    ///     which saves about a third of a small message's cost. Only where no handler in front of this one changes what
    ///     is written: never with TLS.
    ///   - unsentLimit: how many bytes the operating system may hold that are not on their way yet, about; nil for as
    ///     many as it likes, which can be megabytes.
    ///   - delegate: who receives the messages.
    public init(
        role: WebSocketRole,
        maximumMessageSize: Int,
        closeTimeout: TimeAmount = .seconds(2),
        writesDirectly: Bool = false,
        unsentLimit: Int? = nil,
        delegate: any WebSocketDelegate
    ) {
        self.role = role
        self.closeTimeout = closeTimeout
        self.writesDirectly = writesDirectly
        self.unsentLimit = unsentLimit
        self.delegate = delegate
        parser = WebSocketFrameParser(role: role, maximumPayloadSize: maximumMessageSize)
        assembler = WebSocketMessageAssembler(maximumMessageSize: maximumMessageSize)
    }

    // MARK: The owner's side

    /// The channel, from the moment that this handler is in its pipeline to the channel's end.
    public var channel: (any Channel)? { context?.channel }

    /// Whether messages can be sent: neither end has closed yet.
    public var isOpen: Bool {
        if case .open = state, context != nil { true } else { false }
    }

    /// Whether the channel holds less than its high water mark. Cheaper than ``queuedBytes``.
    public var isWritable: Bool { context?.channel.isWritable ?? false }

    /// Bytes that were sent and that the operating system hasn't taken yet, control frames included. Zero means that
    /// the channel holds nothing at all.
    ///
    /// Under TLS, bytes that weren't flushed count only until ``flush()``, and then as what they were encrypted to.
    public var queuedBytes: Int {
        held.readableBytes + bytesHeldByChannel
    }

    /// Sends a message, as one frame. It leaves with the next ``flush()``. Does nothing once the connection isn't open.
    public func send(_ message: WebSocketMessage) {
        guard isOpen else { return }
        switch message {
        case .text(let payload): enqueue(WebSocketFrame(opcode: .text, payload: payload))
        case .binary(let payload): enqueue(WebSocketFrame(opcode: .binary, payload: payload))
        }
    }

    /// Sends frames that are encoded already, such as those of ``WebSocketFrameWriter/textFrame(_:)``, as they are.
    ///
    /// For servers, whose frames have no key and can be shared by any number of connections. They leave with the next
    /// ``flush()``. Does nothing once the connection isn't open.
    public func send(encodedFrames: ByteBuffer) {
        assert(role == .server, "A client's frames need a key each.")
        guard isOpen else { return }
        enqueue(encodedFrames)
    }

    /// Lets everything that was sent go out.
    public func flush() {
        guard let context else { return }
        needsFlush = false
        guard !writeDirectly() else { return }
        handOver()
        context.flush()
    }

    /// Closes the connection: sends a Close frame behind what was sent before, and closes the channel when the peer
    /// has answered or the closing time-out is over. Then the delegate hears of it. Only the first call counts.
    ///
    /// - Parameters:
    ///   - code: a code that must not be on the wire is left out, together with the reason.
    ///   - reason: cut to 123 bytes.
    public func close(code: WebSocketCloseCode = .normalClosure, reason: String = "") {
        guard case .open = state else { return }
        guard let context else { return end(with: .local) }
        enqueueClose(code: code, reason: reason)
        state = .closing(deadline: closeChannelLater(context))
        flush()
        resume()
    }

    /// Stops the delivery of messages, beginning with the next one, and the reading from the network. Meanwhile neither
    /// a ping is answered nor the end of the stream seen; frames that were read already wait as bytes.
    public func pause() {
        guard !isPaused, let context else { return }
        isPaused = true
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
    }

    /// Goes on after ``pause()``, first with what had been read already, perhaps before this returns.
    public func resume() {
        guard isPaused, let context else { return }
        isPaused = false
        parse()
        guard !isPaused else { return }
        try? context.channel.syncOptions?.setOption(.autoRead, value: true)
        if needsFlush {
            flush()
        }
    }

    /// Closes the channel at once, without a closing handshake and whatever is queued. The delegate may hear of it
    /// before this returns.
    public func abort() {
        end(with: .local)
        context?.close(promise: nil)
    }

    // MARK: The channel's side

    public func handlerAdded(context: ChannelHandlerContext) {
        guard case .open = state else {
            context.close(promise: nil)
            return
        }
        self.context = context
        // One that is not active is not connected yet, or has closed its socket.
        if context.channel.isActive { connected(context) }
    }

    public func channelActive(context: ChannelHandlerContext) {
        connected(context)
        context.fireChannelActive()
    }

    private func connected(_ context: ChannelHandlerContext) {
        if writesDirectly { directSocket = DirectSocket(context.pipeline.syncOperations) }
        if let unsentLimit { context.channel.limitUnsent(to: unsentLimit) }
    }

    public func handlerRemoved(context: ChannelHandlerContext) {
        directSocket = nil
        streamEnded()
        self.context = nil
    }

    public func channelInactive(context: ChannelHandlerContext) {
        directSocket = nil
        streamEnded()
        self.context = nil
        context.fireChannelInactive()
    }

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard isParsingWanted else { return }
        parser.append(Self.unwrapInboundIn(data))
        parse()
    }

    public func channelReadComplete(context: ChannelHandlerContext) {
        if needsFlush {
            flush()
        }
        context.fireChannelReadComplete()
    }

    public func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        if isWritable, isOpen, let ping = unansweredPing.take() {
            enqueue(WebSocketFrame(opcode: .pong, payload: ping))
            flush()
        }
        delegate?.webSocketWritabilityChanged(self, writable: isWritable)
        context.fireChannelWritabilityChanged()
    }

    public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            // The peer can't take part in a closing handshake any more. What is queued for it is dropped: a peer that
            // has more to hear doesn't end its stream.
            streamEnded()
            context.close(promise: nil)
        case is ChannelShouldQuiesceEvent:
            delegate?.webSocketShouldQuiesce(self)
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    public func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(with: .error(String(describing: error)))
        context.close(promise: nil)
    }
}

/// It belongs to its event loop.
@available(*, unavailable)
extension WebSocketConnection: Sendable {}
