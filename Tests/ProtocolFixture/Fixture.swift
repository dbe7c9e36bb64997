import Logging
import NIOCore
import NIOPosix
import SocketIOServer
import Synchronization
import WireJSON

/// The server, on a listening socket of plain SwiftNIO.
final class Fixture: Sendable {
    let server: EngineServer
    let port: Int
    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel
    private let connections: Connections

    /// TCP connections that were accepted.
    private final class Connections: Sendable {
        private struct State {
            var open: [ObjectIdentifier: any Channel] = [:]
            var total = 0
        }

        private let state = Mutex(State())

        var open: [any Channel] { state.withLock { Array($0.open.values) } }
        var total: Int { state.withLock { $0.total } }

        func add(_ channel: any Channel) {
            state.withLock { state in
                state.total += 1
                state.open[ObjectIdentifier(channel)] = channel
            }
            channel.closeFuture.whenComplete { _ in
                self.state.withLock { $0.open[ObjectIdentifier(channel)] = nil }
            }
        }
    }

    init(_ options: Options) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: options.threads)
        var logger = Logger(label: "fixture", factory: { StreamLogHandler.standardError(label: $0) })
        // Clients that break the protocol are what it is there for.
        logger.logLevel = .warning
        let server: EngineServer
        switch options.protocolName {
        case .engineIO:
            server = EngineServer(
                configuration: options.configuration, handler: MessageEcho(), group: group, logger: logger)
        case .socketIO:
            let echo = EchoApplication(authDelay: options.authDelay)
            let refusal = ConnectRefusal(message: "Not for you", data: ["code": 7])
            server =
                SocketIOServer(
                    configuration: options.configuration,
                    handlers: ["/": echo, "/custom": echo, "/refused": EchoApplication(refusal: refusal)],
                    group: group, logger: logger
                ).engine
        }
        let connections = Connections()
        self.group = group
        self.server = server
        self.connections = connections
        listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                connections.add(channel)
                return channel.eventLoop.makeCompletedFuture {
                    try HTTPGate.install(
                        on: channel, server: server,
                        installApplication: { try $0.pipeline.syncOperations.addHandler(NothingElse()) },
                        decided: { _ in })
                }
            }
            .bind(host: "127.0.0.1", port: options.port).get()
        port = listener.localAddress?.port ?? 0
    }

    /// How many sessions and TCP connections there are now, and how many of the latter there have been.
    func count() async throws -> (sessions: Int, open: Int, total: Int) {
        var sessions = 0
        for hub in server.hubs { sessions += try await hub.eventLoop.submit { hub.connectionCount }.get() }
        return (sessions, connections.open.count, connections.total)
    }

    /// Ends as a server does that is told to: no new connections, and time for those that there are to say farewell.
    func stop() async throws {
        try await listener.close()
        let open = connections.open
        for channel in open { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
        for channel in open { try? await channel.closeFuture.get() }
        await server.endSessions()
        try await group.shutdownGracefully()
    }
}
