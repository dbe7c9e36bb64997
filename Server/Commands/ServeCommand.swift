import ArgumentParser
import Foundation
import Logging
import NIOCore
import ServiceLifecycle
import SocketIOServer
import UnixSignals

/// `rolecall-server` by itself: serves until it is told to stop.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves the API and the sockets on one port (the default).",
        discussion: """
            Every option has an environment variable and a key of the configuration file of the same words: --port is \
            ROLECALL_PORT and port. An option wins over the environment, the environment over the file.
            """)

    @Option(help: "The address to listen on (127.0.0.1).")
    var host: String?
    @Option(help: "The port to listen on; 0 picks one (9000).")
    var port: Int?
    @OptionGroup var storage: StorageOptions
    @Option(help: ArgumentHelp("The file with the key for tokens, at least 32 bytes.", valueName: "file"))
    var keyFile: String?
    @Option(help: ArgumentHelp("How long a token is good, in seconds, or as 30m, 5h, 7d (5h).", valueName: "time"))
    var tokenLifetime: String?
    @Flag(help: "Bring demo accounts, things and rules.")
    var demo = false
    @Option(help: ArgumentHelp("Changes that the demo makes by itself, per second.", valueName: "rate"))
    var demoActivity: Double?
    @Option(help: ArgumentHelp("Time between pings (25000).", valueName: "ms"))
    var pingInterval: Int?
    @Option(help: ArgumentHelp("Time to wait for a pong (20000).", valueName: "ms"))
    var pingTimeout: Int?
    @Option(help: ArgumentHelp("Time a connection has for its first CONNECT (45000).", valueName: "ms"))
    var connectTimeout: Int?
    @Option(help: ArgumentHelp("The largest message and body that is read (1000000).", valueName: "bytes"))
    var maxPayload: Int?
    @Option(
        help: ArgumentHelp(
            "How much may wait for a slow client before the newest event of a row stands for those before it (1048576).",
            valueName: "bytes"))
    var queueHighWater: Int?
    @Option(
        help: ArgumentHelp(
            "How much may wait for a slow client before a gap takes its place (8388608).", valueName: "bytes"))
    var queueLimit: Int?
    @Option(help: ArgumentHelp("Time after which a client that takes nothing is closed (30000).", valueName: "ms"))
    var stallTimeout: Int?
    @Option(help: ArgumentHelp("The most connections at a time (100000).", valueName: "count"))
    var maxConnections: Int?
    @Option(
        help: ArgumentHelp(
            "The most connections at a time from one address, this machine's own excepted (1000).", valueName: "count"))
    var maxConnectionsPerAddress: Int?
    @Option(
        help: ArgumentHelp(
            "Events a second past which a client is read from more slowly; 0 for any number (1000).",
            valueName: "count"))
    var maxEventRate: Int?
    @Option(help: ArgumentHelp("An origin whose pages may use the cookie; repeatable.", valueName: "url"))
    var allowedOrigin: [String] = []
    @Option(
        help: ArgumentHelp(
            "The longest time over which sockets are let go when the server ends (5000).", valueName: "ms"))
    var drainTime: Int?
    @Option(help: ArgumentHelp("A PEM file with the certificate to serve https with.", valueName: "file"))
    var tlsCertificate: String?
    @Option(help: ArgumentHelp("A PEM file with the certificate's key.", valueName: "file"))
    var tlsKey: String?
    @Flag(help: "Let anyone make an account, with the role user (closed).")
    var signUp = false
    @Flag(help: "Put what tells their changes into tables that somebody else has made, without asking.")
    var attach = false
    @Flag(help: "Change no row, no message and no account.")
    var readOnly = false
    @OptionGroup var logging: LoggingOptions

    /// The keys of a configuration file that are options of this command, too.
    static let settings: Set<String> = [
        "allowed-origin", "attach", "connect-timeout", "data", "demo", "demo-activity", "drain-time", "host",
        "key-file",
        "log-format",
        "log-level", "max-connections", "max-connections-per-address", "max-event-rate", "max-payload", "ping-interval",
        "ping-timeout", "port", "queue-high-water", "queue-limit", "read-only", "sign-up", "stall-timeout", "store",
        "tls-certificate", "tls-key", "token-lifetime",
    ]

    func run() async throws {
        try await reportingStartupErrors {
            let (settings, file) = try storage.load(ProcessInfo.processInfo.environment)
            var configuration = try configuration(settings)
            configuration.file = file
            let logger = try logging.logger(settings)
            let scheme = configuration.tlsFiles == nil ? "http" : "https"
            let application = try await RolecallApplication.build(configuration, logger: logger) { address in
                // The first line on standard output: what scripts wait for.
                print("listening on \(scheme)://\(address)")
                fflush(nil)
            }
            var serviceConfiguration = ServiceGroupConfiguration(services: [application], logger: logger)
            // Beyond the time that sockets are let go in; a request that never ends must not keep the process.
            serviceConfiguration.maximumGracefulShutdownDuration =
                .nanoseconds(configuration.drainTime.nanoseconds) + .seconds(15)
            serviceConfiguration.maximumCancellationDuration = .seconds(5)
            let services = ServiceGroup(configuration: serviceConfiguration)
            let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
            let ending = Task { await Self.end(services, by: signals, logger) }
            defer { ending.cancel() }
            do {
                try await services.run()
            } catch {
                throw Self.listeningFailure(error, at: configuration) ?? error
            }
        }
    }

    /// Ends in good order at the first signal, and at once at the second. Nothing that was acknowledged is lost by that.
    private static func end(_ services: ServiceGroup, by signals: UnixSignalsSequence, _ logger: Logger) async {
        var isEnding = false
        for await signal in signals {
            if isEnding {
                logger.notice("ending at once, by a second signal")
                LineWriter.standardError.flush(within: LineWriter.longestFlush)
                fflush(nil)
                _exit(128 + (signal == .sigint ? SIGINT : SIGTERM))
            }
            isEnding = true
            await services.triggerGracefulShutdown()
        }
    }

    /// Why the address can't be listened on; nil for any other failure.
    private static func listeningFailure(_ error: any Error, at configuration: Configuration) -> StartupError? {
        let address = "\(configuration.host):\(configuration.port)"
        switch error {
        case let error as IOError where error.errnoCode == EADDRINUSE:
            return StartupError(
                "Another program listens on \(address) already; choose another port with --port, or 0 for any.")
        case let error as IOError where error.errnoCode == EACCES || error.errnoCode == EADDRNOTAVAIL:
            let problem = String(cString: strerror(error.errnoCode))
            return StartupError("\(address) can't be listened on: \(problem). See --host and --port.")
        case let error as SocketAddressError.UnknownHost:
            return StartupError("There is no host \(error.host); see --host.")
        case let error as SocketAddressError:
            return StartupError("\(configuration.host) can't be listened on: \(error). See --host.")
        default:
            return nil
        }
    }

    /// Options, environment, configuration file and defaults, in this order.
    ///
    /// - Parameter makesDirectory: whether the data directory is made where it is missing.
    func configuration(_ settings: Settings, makesDirectory: Bool = true) throws -> Configuration {
        let data = try storage.resolve(settings, makesDirectory: makesDirectory)
        let key = settings.path("key-file", keyFile)?.text
        var configuration = Configuration(
            storeURL: data.store.url, keyPath: key ?? data.directory + "/key", makesKey: key == nil)
        configuration.host = settings.text("host", host)?.text ?? configuration.host
        configuration.port = try settings.integer(
            "port", port, 0...65_535, default: configuration.port)
        configuration.tokenLifetime = try settings.duration(
            "token-lifetime", tokenLifetime, default: configuration.tokenLifetime)
        configuration.isDemo = try settings.flag("demo", demo)
        configuration.demoActivity = try settings.rate("demo-activity", demoActivity)
        if configuration.demoActivity > 0, !configuration.isDemo {
            throw StartupError("--demo-activity needs --demo: it changes the demo's things.")
        }
        configuration.socketIO.pingInterval = try settings.milliseconds(
            "ping-interval", pingInterval, default: 25_000)
        configuration.socketIO.pingTimeout = try settings.milliseconds(
            "ping-timeout", pingTimeout, default: 20_000)
        configuration.socketIO.connectTimeout = try settings.milliseconds(
            "connect-timeout", connectTimeout, default: 45_000)
        let payload = try settings.integer(
            "max-payload", maxPayload, 1024...1 << 30, default: 1_000_000)
        configuration.socketIO.maximumPayload = payload
        configuration.socketIO.queueHighWaterMark = try settings.integer(
            "queue-high-water", queueHighWater, 4096...1 << 30, default: 1 << 20)
        configuration.socketIO.queueLimit = try settings.integer(
            "queue-limit", queueLimit, 4096...1 << 30,
            default: max(8 << 20, configuration.socketIO.queueHighWaterMark))
        guard configuration.socketIO.queueLimit >= configuration.socketIO.queueHighWaterMark else {
            throw StartupError("--queue-limit is at least --queue-high-water.")
        }
        configuration.socketIO.stallTimeout = try settings.milliseconds(
            "stall-timeout", stallTimeout, default: 30_000)
        configuration.socketIO.maximumConnections = try settings.integer(
            "max-connections", maxConnections, 1...10_000_000, default: 100_000)
        configuration.socketIO.maximumConnectionsPerAddress = try settings.integer(
            "max-connections-per-address", maxConnectionsPerAddress,
            1...10_000_000, default: 1_000)
        configuration.socketIO.maximumEventsPerSecond = try settings.integer(
            "max-event-rate", maxEventRate, 0...1_000_000, default: 1_000)
        switch (settings.path("tls-certificate", tlsCertificate), settings.path("tls-key", tlsKey)) {
        case (nil, nil): break
        case (let certificate?, let key?): configuration.tlsFiles = (certificate.text, key.text)
        default: throw StartupError("--tls-certificate and --tls-key go together.")
        }
        // Without TLS no handler of this server's changes what is written to a socket.
        configuration.socketIO.writesDirectly = configuration.tlsFiles == nil
        configuration.maximumBody = payload
        configuration.drainTime = .milliseconds(
            Int64(try settings.integer("drain-time", drainTime, 0...600_000, default: 5000)))
        configuration.isReadOnly = try settings.flag("read-only", readOnly)
        configuration.attaches = try settings.flag("attach", attach)
        if configuration.isReadOnly, configuration.demoActivity > 0 {
            throw StartupError("--demo-activity changes rows, and --read-only forbids that.")
        }
        configuration.allowsSignUp = try settings.flag("sign-up", signUp)
        configuration.allowedOrigins = settings.list("allowed-origin", allowedOrigin)
        for origin in configuration.allowedOrigins where !OriginPolicy.isOrigin(origin) {
            throw StartupError("--allowed-origin takes an origin like https://app.example.org, not \(origin).")
        }
        return configuration
    }
}
