import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOTLS

/// Opens network connections to the configured server, TLS included.
struct HTTPDialer {
    let configuration: SocketIOClientConfiguration
    /// Nil without TLS.
    let tls: NIOSSLContext?
    let eventLoop: any EventLoop

    /// Opens one connection.
    ///
    /// - Parameters:
    ///   - stage: hears how far it has come: `transport` and, with TLS, `tls`.
    ///   - completion: called once, on the event loop, unless the dialling is cancelled before. The channel's pipeline
    ///     is bytes; handlers have to be added before this returns.
    func dial(
        stage: @escaping (SocketIOConnectStage) -> Void = { _ in },
        completion: @escaping (Result<any Channel, SocketIOConnectError>) -> Void
    ) -> Dialling {
        let dialling = Dialling(self, stage: stage, completion: completion)
        dialling.start()
        return dialling
    }
}

/// One connection in the making. Belongs to its event loop.
final class Dialling {
    private let dialer: HTTPDialer
    private let stage: (SocketIOConnectStage) -> Void
    private var completion: ((Result<any Channel, SocketIOConnectError>) -> Void)?
    private var channel: (any Channel)?
    private var deadline: Scheduled<Void>?

    fileprivate init(
        _ dialer: HTTPDialer,
        stage: @escaping (SocketIOConnectStage) -> Void,
        completion: @escaping (Result<any Channel, SocketIOConnectError>) -> Void
    ) {
        self.dialer = dialer
        self.stage = stage
        self.completion = completion
    }

    /// Gives up; nobody is told.
    func cancel() {
        finish(nil)
    }

    fileprivate func start() {
        stage(.transport)
        let configuration = dialer.configuration
        let eventLoop = dialer.eventLoop
        // Those who dial and know more of what they wait for have the same time, and began earlier.
        let timeout = TimeAmount(waiting: configuration.connectTimeout) + .seconds(1)
        deadline = eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            self.finish(.failure(.unreachable("\(configuration.authority) did not answer in time.")))
        }
        ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .connect(host: configuration.host, port: configuration.port)
            .hop(to: eventLoop)
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let channel): self.connected(channel)
                case .failure(let error):
                    let detail = (error as? NIOConnectionError)?.sentence ?? String(describing: error)
                    self.finish(.failure(.unreachable("\(configuration.authority) can't be reached: \(detail)")))
                }
            }
    }

    private func connected(_ channel: any Channel) {
        guard completion != nil else {
            channel.close(promise: nil)
            return
        }
        self.channel = channel
        guard let tls = dialer.tls else { return finish(.success(channel)) }
        stage(.tls)
        let watch = TLSWatch { outcome in
            switch outcome {
            case .established: self.finish(.success(channel))
            case .failed(let error): self.finish(.failure(.tlsFailed(String(describing: error))))
            case .closed:
                let sentence = "The server closed the connection during \(SocketIOConnectStage.tls)."
                self.finish(.failure(.unreachable(sentence)))
            }
        }
        do {
            let name = dialer.configuration.tlsServerName
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandlers([NIOSSLClientHandler(context: tls, serverHostname: name), watch])
        } catch let error as NIOSSLExtraError {
            finish(.failure(.tlsFailed(String(describing: error))))
        } catch {
            finish(.failure(.unreachable("The connection ended at once: \(error)")))
        }
    }

    private func finish(_ result: Result<any Channel, SocketIOConnectError>?) {
        guard let completion = completion.take() else { return }
        deadline?.cancel()
        deadline = nil
        let channel = channel.take()
        if let result {
            completion(result)
            if case .success = result { return }
        }
        channel?.close(promise: nil)
    }
}

/// Waits for the TLS handshake, and leaves the pipeline when it is done.
private final class TLSWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    enum Outcome {
        case established
        case failed(any Error)
        /// The connection ended without an error.
        case closed
    }

    private var completion: ((Outcome) -> Void)?

    init(_ completion: @escaping (Outcome) -> Void) {
        self.completion = completion
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted? = event as? TLSUserEvent else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        completion.take()?(.established)
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        completion.take()?(.failed(error))
    }

    func channelInactive(context: ChannelHandlerContext) {
        completion.take()?(.closed)
        context.fireChannelInactive()
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

extension NIOHTTPDecoderLimitConfiguration {
    /// What a server's headers may take of this side's memory: in all, 64 KiB and a hundred of them.
    static let client: NIOHTTPDecoderLimitConfiguration = {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 32 << 10
        limits.maxHeaderListSize = 64 << 10
        limits.maxHeaderFieldCount = 100
        return limits
    }()
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
