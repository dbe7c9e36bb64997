import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdSocketIO
import Logging
import ModelStore
import NIOCore
import NIOPosix
import RolecallConfiguration
import RolecallProtocol
import SQLiteStore
import ServiceLifecycle
import SocketIOServer
import WireJSON

/// The server, put together; the same for `main` and for tests.
struct RolecallApplication: Service, CustomStringConvertible {
    let store: any Store
    let association: Association
    var description: String { "rolecall-server" }
    private let configuration: Configuration
    private let tls: ServerTLS?
    private let responder: RouterResponder<RolecallRequestContext>
    let server: SocketIOServer
    private let services: [any Service]
    private let presence: PresenceBoard
    private let passwords: PasswordHasher
    private let group: MultiThreadedEventLoopGroup
    private let logger: Logger
    private let listening: @Sendable (String) async -> Void

    /// Opens the database, makes what is missing, and wires the parts. Nothing listens yet.
    ///
    /// - Parameter listening: told `host:port` once connections are accepted.
    /// - Throws: ``StartupError`` or `StoreError`, each with a sentence for whoever started the server.
    static func build(
        _ configuration: Configuration, logger: Logger, listening: @escaping @Sendable (String) async -> Void
    ) async throws -> RolecallApplication {
        // Before anything is made or changed.
        let tls = try configuration.tlsFiles.map { try ServerTLS(certificate: $0.certificate, key: $0.key) }
        let resolved = try configuration.resolved()
        let policy = resolved.policy
        guard !configuration.allowsSignUp || !policy.isAdministrator(policy.newcomersRole) else {
            throw StartupError(
                "--sign-up would make everyone an admin: with two roles the second is the highest. Name a third in roles."
            )
        }
        let store = try SQLiteDatabaseStore.open(
            path: configuration.databasePath, models: resolved.models,
            schema: configuration.isDemo ? Demo.schema : [],
            consent: configuration.attaches ? .given : .required, logger: logger)
        let key =
            try configuration.makesKey ? KeyFile.readOrMake(configuration.keyPath) : KeyFile.read(configuration.keyPath)
        let passwords = PasswordHasher(parameters: configuration.passwordParameters)
        try await Demo.check(store, isDemo: configuration.isDemo, passwords: passwords)
        if configuration.isDemo { try await Demo.fill(store, passwords: passwords) }
        try await store.reserveJournal()

        let group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
        let start = try await store.read { _ in }.position.sequence
        let loops = group.makeIterator().map { LoopDelivery(watermark: start, eventLoop: $0) }
        let census = ReceiverCensus(loopCount: loops.count)
        let metrics = ServerMetrics()
        let presence = PresenceBoard(policy: policy, linger: configuration.presenceLinger)
        let association = Association(
            policy: policy, census: census, loops: loops, logID: store.logID, presence: presence, metrics: metrics,
            logger: logger)
        let encoder = EventEncoder(policy: policy, logID: store.logID)
        let tokens = await TokenAuthority(key: key)
        let authenticator = Authenticator(
            tokens: tokens, store: store, sessions: SessionUse(store: store, logger: logger))
        let origins = OriginPolicy(allowed: configuration.allowedOrigins)
        let models = ModelService(store: store, policy: policy, isReadOnly: configuration.isReadOnly)
        let sockets = SocketApplication(
            association: association, authenticator: authenticator, origins: origins, models: models,
            replay: Replay(store: store, association: association, encoder: encoder),
            tickets: RecoveryTicket(key: key, log: store.logID), logger: logger)
        var socketIO = configuration.socketIO
        socketIO.allowedOrigins = origins.allowed
        let server = SocketIOServer(
            configuration: socketIO, handlers: ["/": sockets], group: group, logger: logger,
            metrics: metrics.registry)

        presence.begin(on: server.hubs)

        let identity = RequestIdentity(authenticator: authenticator, origins: origins)
        let router = Router(context: RolecallRequestContext.self)
        router.add(middleware: CrossOriginMiddleware(origins: origins))
        router.add(middleware: FailureMiddleware())
        if configuration.isReadOnly { router.add(middleware: ReadOnlyMiddleware()) }
        OperationRoutes(
            store: store, metrics: metrics, identity: identity, policy: policy,
            isDraining: { server.engine.isDraining }
        ).add(to: router)
        let signIns = SignIns(
            tokens: tokens, lifetime: configuration.tokenLifetime, isSecure: configuration.tlsFiles != nil)
        let passwordCheck = PasswordCheck(passwords: passwords, limiter: LoginLimiter(), metrics: metrics)
        AuthenticationRoutes(
            store: store, signIns: signIns, passwords: passwords, passwordCheck: passwordCheck, identity: identity,
            association: association, logger: logger
        ).add(to: router)
        let rows = ModelRoutes(models: models, identity: identity, bodyLimit: configuration.maximumBody)
        rows.add(to: router)
        let accounts = AccountService(store: store, policy: policy, association: association)
        let directory = SocketDirectory(server: server, association: association)
        UserRoutes(
            accounts: accounts, identity: identity, rows: rows, passwords: passwords, passwordCheck: passwordCheck,
            signIns: signIns, allowsSignUp: configuration.allowsSignUp, logger: logger
        ).add(to: router)
        SessionRoutes(accounts: accounts, identity: identity, sockets: directory).add(to: router)
        SocketRoutes(accounts: accounts, identity: identity, sockets: directory, logger: logger).add(to: router)
        ModelDescriptionRoutes(store: store, policy: policy, identity: identity).add(to: router)
        EventRoutes(store: store, encoder: encoder, identity: identity).add(to: router)
        ExplanationRoutes(accounts: accounts, identity: identity).add(to: router)

        let identities = IdentityFeed(association: association, server: server, metrics: metrics)
        var services: [any Service] = [
            LogReader(
                store: store, server: server, association: association, encoder: encoder, census: census,
                identities: identities, start: start,
                positionInterval: configuration.positionInterval),
            IdentityWatch(store: store, feed: identities, start: start),
            LogPruner(
                store: store, association: association, retention: resolved.retention ?? .standard,
                interval: configuration.pruningInterval, logger: logger),
        ]
        if configuration.demoActivity > 0 {
            services.append(
                DemoActivity(store: store, rate: configuration.demoActivity, logger: logger))
        }
        return RolecallApplication(
            store: store, association: association, configuration: configuration, tls: tls,
            responder: router.buildResponder(),
            server: server,
            services: services,
            presence: presence, passwords: passwords, group: group, logger: logger, listening: listening)
    }

    /// Serves until its graceful shutdown is triggered; then ends connections, and releases all that was opened.
    func run() async throws {
        let application = Application(
            responder: responder, server: try tls?.wrap(.socketIO(server)) ?? .socketIO(server),
            configuration: .init(
                address: .hostname(configuration.host, port: configuration.port), serverName: "rolecall",
                backlog: 4096),
            services: services,
            onServerRunning: { [listening] channel in
                await listening(Self.name(of: channel.localAddress))
            },
            eventLoopGroupProvider: .shared(group), logger: logger)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await draining(application))
        } catch {
            outcome = .failure(error)
        }
        // Handlers that are still at work use the store and their event loops.
        await server.drained()
        presence.end()
        try? await passwords.shutdown()
        try? await store.close()
        try? await group.shutdownGracefully()
        try outcome.get()
    }

    /// Runs the application; when it is asked to end, its sockets are let go first, and only then the rest.
    private func draining(_ application: some Service) async throws {
        var groupConfiguration = ServiceGroupConfiguration(services: [application], logger: logger)
        // Requests that never end must not keep the process.
        groupConfiguration.maximumGracefulShutdownDuration = .seconds(10)
        let group = ServiceGroup(configuration: groupConfiguration)
        // A task without this one's context: the request to end reaches it by the drain alone.
        let running = Task.detached { try await group.run() }
        let drain = Task {
            try await gracefulShutdown()
            await Drain(server: server, longest: configuration.drainTime, logger: logger).run()
            await group.triggerGracefulShutdown()
        }
        defer { drain.cancel() }
        try await withTaskCancellationHandler {
            try await running.value
        } onCancel: {
            running.cancel()
        }
    }

    private static func name(of address: SocketAddress?) -> String {
        guard let address, let host = address.ipAddress, let port = address.port else { return "unknown" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
