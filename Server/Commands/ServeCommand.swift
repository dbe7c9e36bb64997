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
            Every option has an environment variable of the same words: --port is ROLECALL_PORT. An option wins over \
            the environment.
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
    @Flag(help: "Let anyone make an account, with the role user (closed).")
    var signUp = false
    @OptionGroup var logging: LoggingOptions

    func run() async throws {
        try await reportingStartupErrors {
            let configuration = try configuration(ProcessInfo.processInfo.environment)
            let logger = try logging.logger()
            let application = try await RolecallApplication.build(configuration, logger: logger) { address in
                // The first line on standard output: what scripts wait for.
                print("listening on http://\(address)")
                fflush(nil)
            }
            var serviceConfiguration = ServiceGroupConfiguration(
                services: [application], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            // A request that never ends must not keep the process.
            serviceConfiguration.maximumGracefulShutdownDuration = .seconds(10)
            serviceConfiguration.maximumCancellationDuration = .seconds(5)
            let services = ServiceGroup(configuration: serviceConfiguration)
            do {
                try await services.run()
            } catch {
                throw Self.listeningFailure(error, at: configuration) ?? error
            }
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

    /// Options, environment and defaults, in this order.
    func configuration(_ environment: [String: String]) throws -> Configuration {
        let settings = Settings(environment: environment)
        let data = try storage.resolve(environment)
        let key = keyFile ?? environment["ROLECALL_KEY_FILE"]
        var configuration = Configuration(
            databasePath: data.databasePath, keyPath: key ?? data.directory + "/key", makesKey: key == nil)
        configuration.host = host ?? environment["ROLECALL_HOST"] ?? configuration.host
        configuration.port = try settings.integer(
            "port", port, "ROLECALL_PORT", 0...65_535, default: configuration.port)
        configuration.tokenLifetime = try settings.duration(
            "token-lifetime", tokenLifetime, "ROLECALL_TOKEN_LIFETIME", default: configuration.tokenLifetime)
        configuration.isDemo = try demo || settings.flag("demo", "ROLECALL_DEMO")
        configuration.demoActivity = try settings.rate("demo-activity", demoActivity, "ROLECALL_DEMO_ACTIVITY")
        if configuration.demoActivity > 0, !configuration.isDemo {
            throw StartupError("--demo-activity needs --demo: it changes the demo's things.")
        }
        configuration.socketIO.pingInterval = try settings.milliseconds(
            "ping-interval", pingInterval, "ROLECALL_PING_INTERVAL", default: 25_000)
        configuration.socketIO.pingTimeout = try settings.milliseconds(
            "ping-timeout", pingTimeout, "ROLECALL_PING_TIMEOUT", default: 20_000)
        configuration.socketIO.connectTimeout = try settings.milliseconds(
            "connect-timeout", connectTimeout, "ROLECALL_CONNECT_TIMEOUT", default: 45_000)
        let payload = try settings.integer(
            "max-payload", maxPayload, "ROLECALL_MAX_PAYLOAD", 1024...1 << 30, default: 1_000_000)
        configuration.socketIO.maximumPayload = payload
        configuration.socketIO.queueHighWaterMark = try settings.integer(
            "queue-high-water", queueHighWater, "ROLECALL_QUEUE_HIGH_WATER", 4096...1 << 30, default: 1 << 20)
        configuration.socketIO.queueLimit = try settings.integer(
            "queue-limit", queueLimit, "ROLECALL_QUEUE_LIMIT", 4096...1 << 30,
            default: max(8 << 20, configuration.socketIO.queueHighWaterMark))
        guard configuration.socketIO.queueLimit >= configuration.socketIO.queueHighWaterMark else {
            throw StartupError("--queue-limit is at least --queue-high-water.")
        }
        configuration.socketIO.stallTimeout = try settings.milliseconds(
            "stall-timeout", stallTimeout, "ROLECALL_STALL_TIMEOUT", default: 30_000)
        configuration.socketIO.maximumConnections = try settings.integer(
            "max-connections", maxConnections, "ROLECALL_MAX_CONNECTIONS", 1...10_000_000, default: 100_000)
        configuration.socketIO.maximumConnectionsPerAddress = try settings.integer(
            "max-connections-per-address", maxConnectionsPerAddress, "ROLECALL_MAX_CONNECTIONS_PER_ADDRESS",
            1...10_000_000, default: 1_000)
        configuration.socketIO.maximumEventsPerSecond = try settings.integer(
            "max-event-rate", maxEventRate, "ROLECALL_MAX_EVENT_RATE", 0...1_000_000, default: 1_000)
        // No handler of this server's changes what is written to a socket.
        configuration.socketIO.writesDirectly = true
        configuration.maximumBody = payload
        configuration.allowsSignUp = try signUp || settings.flag("sign-up", "ROLECALL_SIGN_UP")
        let listed = environment["ROLECALL_ALLOWED_ORIGIN"]?.split(separator: ",").map(String.init) ?? []
        configuration.allowedOrigins = allowedOrigin.isEmpty ? listed : allowedOrigin
        for origin in configuration.allowedOrigins where !OriginPolicy.isOrigin(origin) {
            throw StartupError("--allowed-origin takes an origin like https://app.example.org, not \(origin).")
        }
        return configuration
    }
}

/// Reads settings that an option, or else the environment, can give.
struct Settings {
    let environment: [String: String]

    func integer(
        _ option: String, _ given: Int?, _ variable: String, _ range: ClosedRange<Int>, default standard: Int
    ) throws -> Int {
        if let given {
            guard range.contains(given) else { throw outOfRange("--\(option)", range) }
            return given
        }
        guard let text = environment[variable] else { return standard }
        guard let number = Int(text), range.contains(number) else { throw outOfRange(variable, range) }
        return number
    }

    func milliseconds(
        _ option: String, _ given: Int?, _ variable: String, default standard: Int
    ) throws -> TimeAmount {
        .milliseconds(Int64(try integer(option, given, variable, 1...2_147_483_647, default: standard)))
    }

    func flag(_ option: String, _ variable: String) throws -> Bool {
        switch environment[variable]?.lowercased() {
        case nil, "", "0", "false", "no": return false
        case "1", "true", "yes": return true
        default: throw StartupError("\(variable) is 1 or 0.")
        }
    }

    func rate(_ option: String, _ given: Double?, _ variable: String) throws -> Double {
        guard let rate = try given ?? environment[variable].map({ try number($0, variable) }) else { return 0 }
        guard rate.isFinite, (0...1000).contains(rate) else {
            throw StartupError("--\(option) is a number of changes per second from 0 to 1000.")
        }
        return rate
    }

    /// Seconds.
    func duration(_ option: String, _ given: String?, _ variable: String, default standard: Int) throws -> Int {
        guard let text = given ?? environment[variable] else { return standard }
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        let unit = text.last.flatMap { units[$0] }
        guard let count = Int(unit == nil ? text[...] : text.dropLast()), (1...1_000_000_000).contains(count),
            count * (unit ?? 1) <= 10 * 365 * 86_400
        else {
            throw StartupError("--\(option) takes seconds or a time like 30m, 5h or 7d, not \(text).")
        }
        return count * (unit ?? 1)
    }

    private func number(_ text: String, _ variable: String) throws -> Double {
        guard let number = Double(text) else { throw StartupError("\(variable) is a number.") }
        return number
    }

    private func outOfRange(_ name: String, _ range: ClosedRange<Int>) -> StartupError {
        StartupError("\(name) is a whole number from \(range.lowerBound) to \(range.upperBound).")
    }
}
