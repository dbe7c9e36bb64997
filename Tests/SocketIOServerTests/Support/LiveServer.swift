import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport
import Testing

@testable import SocketIOServer

/// A server on a real socket, with two event loops.
final class LiveServer: Sendable {
    /// Adds an application's handlers behind the gate.
    typealias Install = @Sendable (any Channel) throws -> Void

    let server: SocketIOServer
    let address: SocketAddress
    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel
    private let children: Shared<[ObjectIdentifier: any Channel]>

    /// Runs a body with a server, which is gone afterwards.
    ///
    /// - Parameters:
    ///   - isSecured: whether it speaks TLS, with ``TestCertificate/local``.
    ///   - accepted: called with each new connection, behind whose codec the gate stands.
    ///   - settled: returns when all that was installed has let go of the event loops; called when connections are
    ///     closed.
    static func with<Output>(
        _ application: any SocketIOHandler = Application(),
        configure: (inout SocketIOServerConfiguration) -> Void = { _ in },
        isSecured: Bool = false, install: @escaping Install = { _ in throw Line.NoApplication() },
        accepted: @escaping @Sendable (any Channel) -> Void = { _ in }, settled: () async throws -> Void = {},
        body: (LiveServer) async throws -> Output
    ) async throws -> Output {
        var configuration = SocketIOServerConfiguration()
        configure(&configuration)
        let live = try await LiveServer(configuration, application, isSecured, install, accepted)
        do {
            let output = try await body(live)
            try await live.stop(settled)
            return output
        } catch {
            try? await live.stop(settled)
            throw error
        }
    }

    private init(
        _ configuration: SocketIOServerConfiguration, _ application: any SocketIOHandler, _ isSecured: Bool,
        _ install: @escaping Install, _ accepted: @escaping @Sendable (any Channel) -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let server = SocketIOServer(
            configuration: configuration, handlers: ["/": application], group: group,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let children = Shared<[ObjectIdentifier: any Channel]>([:])
        let tls = isSecured ? try TestCertificate.serverContext() : nil
        self.group = group
        self.server = server
        self.children = children
        listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                children.change { $0[ObjectIdentifier(channel)] = channel }
                channel.closeFuture.whenComplete { _ in children.change { $0[ObjectIdentifier(channel)] = nil } }
                return channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try HTTPGate.install(on: channel, server: server, installApplication: install, decided: { _ in })
                    accepted(channel)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        address = try #require(listener.localAddress)
    }

    private func stop(_ settled: () async throws -> Void) async throws {
        try await listener.close()
        for channel in children.value.values {
            channel.close(promise: nil)
            try await channel.closeFuture.get()
        }
        await server.drained()
        try await settled()
        try await group.shutdownGracefully()
    }

    /// How many connections there are, on all loops.
    func connectionCount() async throws -> Int {
        var count = 0
        for hub in server.hubs { count += try await hub.eventLoop.submit { hub.connectionCount }.get() }
        return count
    }

    /// How many TCP connections there are.
    var channelCount: Int { children.value.count }

    func waitUntilEmpty(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await eventually("\(channelCount) channels are left", sourceLocation: sourceLocation) {
            try await connectionCount() == 0 && channelCount == 0
        }
    }
}

extension TestCertificate {
    fileprivate static func serverContext() throws -> NIOSSLContext {
        let certificates = try NIOSSLCertificate.fromPEMBytes(Array(local.certificate.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(key)))
    }

    /// For clients that trust this certificate and no other.
    func clientContext() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)))
        return try NIOSSLContext(configuration: configuration)
    }
}
