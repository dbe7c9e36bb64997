import CoreMetrics
import Logging
import ModelStore
import NIOCore
import RolecallProtocol
import ServiceLifecycle
import SocketIOServer

/// How the domain behaves, as far as its server decides.
package struct DomainSettings: Sendable {
    /// The key that tokens and tickets are made with; at least 32 bytes.
    package var key: [UInt8]
    /// Seconds that a token is good for.
    package var tokenLifetime: Int
    /// Whether every write of a row is refused.
    package var isReadOnly: Bool
    /// How long a user without a socket is still present.
    package var presenceLinger: TimeAmount
    /// How often sockets that were sent nothing are sent the position.
    package var positionInterval: TimeAmount
    /// How often the log is looked at for what is to be forgotten.
    package var pruningInterval: Duration
    package var retention: Retention

    package init(
        key: [UInt8], tokenLifetime: Int, isReadOnly: Bool, presenceLinger: TimeAmount, positionInterval: TimeAmount,
        pruningInterval: Duration, retention: Retention
    ) {
        self.key = key
        self.tokenLifetime = tokenLifetime
        self.isReadOnly = isReadOnly
        self.presenceLinger = presenceLinger
        self.positionInterval = positionInterval
        self.pruningInterval = pruningInterval
        self.retention = retention
    }
}

/// The domain, put together: all that the doors (HTTP, sockets, commands) call. What stands here needs no sockets'
/// server; the handler of the sockets is made of it, and ``LiveDomain`` of both.
package struct Domain: Sendable {
    package let store: any Store
    package let policy: Policy
    package let passwords: PasswordHasher
    package let authenticator: Authenticator
    package let association: Association
    package let socketSignIns: SocketSignIns
    package let subscriptions: Subscriptions
    package let rows: RowService
    package let models: ModelDescriptions
    package let history: EventHistory
    let settings: DomainSettings
    let presence: PresenceBoard
    let interests: RememberedInterests
    let sessionUse: SessionUse
    let tokens: TokenAuthority
    let encoder: EventEncoder
    let receivers: Receivers
    let metrics: DomainMetrics
    /// Where the log and the identity feed stood when the domain was put together: they are followed from there.
    let start: (log: LogCursor, identities: IdentityCursor)
    let logger: Logger

    /// - Parameter group: the event loops that sockets will live on.
    package init(
        store: any Store, policy: Policy, passwords: PasswordHasher, settings: DomainSettings,
        group: any EventLoopGroup, metrics factory: any MetricsFactory, logger: Logger
    ) async throws {
        // In this order: the log's followers are shown all changes of identities that their snapshots hold.
        let identities = try await store.identityCursor()
        let start = (log: try await store.head(), identities: identities)
        let loops = group.makeIterator().map {
            LoopDelivery(watermark: start.log, identities: start.identities, eventLoop: $0)
        }
        let metrics = DomainMetrics(factory: factory)
        let presence = PresenceBoard(policy: policy, loops: loops, linger: settings.presenceLinger)
        let interests = RememberedInterests()
        let receivers = Receivers(loops: loops, census: ReceiverCensus(loopCount: loops.count))
        let association = Association(
            policy: policy, receivers: receivers, interests: interests,
            observers: [metrics, presence], logger: logger)
        let encoder = EventEncoder(policy: policy)
        let tokens = await TokenAuthority(key: settings.key)
        let sessionUse = SessionUse(store: store, logger: logger)
        let authenticator = Authenticator(tokens: tokens, store: store, sessions: sessionUse)
        let rows = RowService(store: store, policy: policy, isReadOnly: settings.isReadOnly)
        self.store = store
        self.policy = policy
        self.passwords = passwords
        self.authenticator = authenticator
        self.association = association
        self.rows = rows
        self.settings = settings
        self.presence = presence
        self.interests = interests
        self.sessionUse = sessionUse
        self.tokens = tokens
        self.encoder = encoder
        self.receivers = receivers
        self.metrics = metrics
        self.start = start
        self.logger = logger
        socketSignIns = SocketSignIns(
            association: association, authenticator: authenticator,
            replay: Replay(store: store, association: association, encoder: encoder),
            tickets: RecoveryTicket(key: settings.key, store: store.storeID), logger: logger)
        subscriptions = Subscriptions(association: association, rows: rows)
        models = ModelDescriptions(store: store, policy: policy)
        history = EventHistory(store: store, encoder: encoder)
    }

    /// Whether the records can be read.
    ///
    /// - Throws: ``DomainError`` where they can't.
    package func probe() async throws(DomainError) {
        try await DomainError.mapping { try await store.probe() }
    }

    /// What the domain has to say of events that were dropped for a slow socket; on its loop.
    package func gap(for lost: LostEvents, to socket: Socket) -> Gap {
        if let identity = socket.identity { presence.lostEvents(socket, identity) }
        return association.gap(lost, for: socket, reason: .overflow)
    }
}

/// The domain over a sockets' server: what is followed and delivered, and the calls that reach sockets.
package struct LiveDomain: Sendable {
    package let node: LocalNode
    package let signIns: SignInService
    package let accounts: AccountService
    package let explanations: ExplanationService
    /// What has to run as long as the server does: following identities and the log, and pruning it.
    package let services: [any Service]
    private let presence: PresenceBoard

    package init(_ domain: Domain, on server: SocketIOServer) {
        let loginLimits = LoginLimiter()
        let loops = domain.receivers.loops
        node = LocalNode(
            presence: domain.presence, loginLimits: loginLimits, interests: domain.interests,
            sessionUse: domain.sessionUse,
            sockets: SocketDirectory(server: server, association: domain.association), loops: loops)
        let passwordCheck = PasswordCheck(
            passwords: domain.passwords, limiter: loginLimits, metrics: domain.metrics)
        signIns = SignInService(
            store: domain.store, tokens: domain.tokens, passwords: domain.passwords, passwordCheck: passwordCheck,
            node: node, lifetime: domain.settings.tokenLifetime)
        accounts = AccountService(
            store: domain.store, policy: domain.policy, passwords: domain.passwords, passwordCheck: passwordCheck,
            signIns: signIns, node: node, logger: domain.logger)
        explanations = ExplanationService(store: domain.store, accounts: accounts)
        let identities = IdentityFeed(
            association: domain.association, store: domain.store, server: server, loops: loops, metrics: domain.metrics)
        services = [
            LogReader(
                store: domain.store, server: server, receivers: domain.receivers, encoder: domain.encoder,
                metrics: domain.metrics, identities: identities, start: domain.start,
                positionInterval: domain.settings.positionInterval),
            IdentityWatch(store: domain.store, feed: identities, server: server, start: domain.start.identities),
            LogPruner(
                store: domain.store, node: node, retention: domain.settings.retention,
                interval: domain.settings.pruningInterval, logger: domain.logger),
        ]
        presence = domain.presence
        presence.begin(on: server.hubs)
    }

    /// Sends nothing more of presence, and sets no more timers: for a server's end.
    package func end() { presence.end() }
}
