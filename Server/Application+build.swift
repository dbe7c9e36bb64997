import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdSocketIO
import Logging
import ModelStore
import NIOCore
import NIOPosix
import RolecallConfiguration
import RolecallCore
import ServiceLifecycle
import SocketIOServer

/// The server, put together; the same for `main` and for tests.
struct RolecallApplication: Service, CustomStringConvertible {
    let domain: Domain
    var description: String { "rolecall-server" }
    private let configuration: Configuration
    private let tls: ServerTLS?
    private let responder: RouterResponder<RolecallRequestContext>
    let server: SocketIOServer
    let metrics: MetricRegistry
    let live: LiveDomain
    private let services: [any Service]
    private let group: MultiThreadedEventLoopGroup
    private let logger: Logger
    private let listening: @Sendable (String) async -> Void

    /// Opens the database, makes what is missing, and wires the parts. Nothing listens yet.
    ///
    /// - Parameter listening: called with `host:port` once connections are accepted.
    /// - Throws: ``StartupError`` or `StoreError`, each with a sentence for the operator.
    static func build(
        _ configuration: Configuration, logger: Logger, listening: @escaping @Sendable (String) async -> Void
    ) async throws -> RolecallApplication {
        // Before anything is made or changed.
        let tls = try configuration.tlsFiles.map { try ServerTLS(certificate: $0.certificate, key: $0.key) }
        let location = try StoreURL.location(configuration.storeURL, logger: logger)
        let resolved = try await configuration.resolved(at: location)
        guard !configuration.allowsSignUp || !resolved.policy.isAdministrator(resolved.policy.newcomersRole) else {
            throw StartupError(
                "--sign-up would make everyone an admin: with two roles the second is the highest. Name a third in roles."
            )
        }
        let store = try await location.open(
            OpeningOptions(
                models: resolved.models, memberships: resolved.memberships, makesDemoTable: configuration.isDemo,
                consent: configuration.attaches ? .given : .required))
        return try await assemble(
            configuration, resolved, on: store, tls: tls, logger: logger, listening: listening)
    }

    /// The same on a store that is open.
    static func assemble(
        _ configuration: Configuration, _ resolved: ResolvedConfiguration, on store: any Store,
        tls: ServerTLS? = nil,
        logger: Logger, listening: @escaping @Sendable (String) async -> Void
    ) async throws -> RolecallApplication {
        let policy = resolved.policy
        let key =
            try configuration.makesKey ? KeyFile.readOrMake(configuration.keyPath) : KeyFile.read(configuration.keyPath)
        let passwords = PasswordHasher(parameters: configuration.passwordParameters)
        try await Demo.check(store, isDemo: configuration.isDemo, passwords: passwords)
        if configuration.isDemo { try await Demo.fill(store, passwords: passwords) }
        try await store.prepareForService()

        let group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
        let metrics = MetricRegistry(help: MetricRegistry.help)
        metrics.addProcess()
        let domain = try await Domain(
            store: store, policy: policy, passwords: passwords,
            settings: DomainSettings(
                key: key, tokenLifetime: configuration.tokenLifetime, isReadOnly: configuration.isReadOnly,
                presenceLinger: configuration.presenceLinger, positionInterval: configuration.positionInterval,
                pruningInterval: configuration.pruningInterval, retention: resolved.retention ?? .standard),
            group: group, metrics: metrics, logger: logger)
        let origins = OriginPolicy(allowed: configuration.allowedOrigins)
        var socketIO = configuration.socketIO
        socketIO.allowedOrigins = origins.allowed
        let server = SocketIOServer(
            configuration: socketIO,
            handlers: [
                "/": SocketApplication(
                    association: domain.association, signIns: domain.socketSignIns,
                    subscriptions: domain.subscriptions, rows: domain.rows, origins: origins,
                    gap: domain.gap, logger: logger)
            ], group: group, logger: logger, metrics: metrics)
        let live = LiveDomain(domain, on: server)
        var services = live.services
        if configuration.demoActivity > 0 {
            services.append(DemoActivity(store: store, rate: configuration.demoActivity, logger: logger))
        }
        return RolecallApplication(
            domain: domain, configuration: configuration, tls: tls,
            responder: router(domain, live, on: server, metrics, origins, configuration, logger).buildResponder(),
            server: server, metrics: metrics, live: live, services: services, group: group, logger: logger,
            listening: listening)
    }

    /// The routes, each a door to the domain.
    private static func router(
        _ domain: Domain, _ live: LiveDomain, on server: SocketIOServer, _ metrics: MetricRegistry,
        _ origins: OriginPolicy, _ configuration: Configuration, _ logger: Logger
    ) -> Router<RolecallRequestContext> {
        let identity = RequestIdentity(authenticator: domain.authenticator, origins: origins)
        let cookies = TokenCookie(lifetime: configuration.tokenLifetime, isSecure: configuration.tlsFiles != nil)
        let rows = ModelRoutes(rows: domain.rows, identity: identity, bodyLimit: configuration.maximumBody)
        let router = Router(context: RolecallRequestContext.self)
        router.add(middleware: CrossOriginMiddleware(origins: origins))
        router.add(middleware: FailureMiddleware())
        if configuration.isReadOnly { router.add(middleware: ReadOnlyMiddleware()) }
        OperationRoutes(
            domain: domain, metrics: MetricsPage { PrometheusText.text(of: metrics) }, identity: identity,
            isDraining: { server.engine.isDraining }
        ).add(to: router)
        AuthenticationRoutes(signIns: live.signIns, cookies: cookies, identity: identity).add(to: router)
        rows.add(to: router)
        UserRoutes(
            accounts: live.accounts, identity: identity, rows: rows, cookies: cookies,
            allowsSignUp: configuration.allowsSignUp
        ).add(to: router)
        SessionRoutes(accounts: live.accounts, identity: identity).add(to: router)
        SocketRoutes(accounts: live.accounts, identity: identity, sockets: live.node.sockets, logger: logger)
            .add(to: router)
        ModelDescriptionRoutes(models: domain.models, identity: identity).add(to: router)
        EventRoutes(history: domain.history, explanations: live.explanations, identity: identity).add(to: router)
        return router
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
        live.end()
        try? await domain.passwords.shutdown()
        try? await domain.store.close()
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
