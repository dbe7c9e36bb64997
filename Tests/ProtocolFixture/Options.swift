import NIOCore
import SocketIOServer

/// What the fixture is told on its command line.
struct Options {
    var port = 0
    var protocolName = ProtocolName.socketIO
    var threads = 2
    /// The published suite begins to wait for a message when it has handled the one before, and its client may hand on
    /// without a pause what came at once: what follows the answer to CONNECT has to come apart from it.
    var authDelay = Duration.milliseconds(20)
    var configuration: SocketIOServerConfiguration = {
        var configuration = SocketIOServerConfiguration()
        // What the published suites assume of the server that they are run against.
        configuration.pingInterval = .milliseconds(300)
        configuration.pingTimeout = .milliseconds(200)
        configuration.connectTimeout = .milliseconds(1_000)
        configuration.maximumPayload = 1_000_000
        configuration.writesDirectly = true
        return configuration
    }()

    /// What is spoken.
    enum ProtocolName: String {
        /// Messages come back as they were.
        case engineIO = "engine.io"
        /// See ``EchoApplication``.
        case socketIO = "socket.io"
    }

    static let usage = """
        usage: ProtocolFixture [--protocol socket.io|engine.io] [--port N] [--path /PATH/] [--threads N]
                               [--ping-interval MS] [--ping-timeout MS] [--connect-timeout MS] [--request-timeout MS]
                               [--upgrade-timeout MS] [--stall-timeout MS] [--auth-delay MS]
                               [--max-payload BYTES] [--connections N] [--events-per-second N] [--writes direct|channel]
        Serves the protocols' published test suites, and this package's own, on loopback.
        Commands, one a line on standard input, of which the end is the fixture's, too:
        count         says how many sessions and TCP connections there are, and how many of the latter there were
        """

    /// - Parameter words: the command line behind the program's name.
    init(_ words: some Sequence<String>) throws(Mistake) {
        var words = words.makeIterator()
        var path: String?
        while let option = words.next() {
            guard let value = words.next() else { throw Mistake(sentence: "\(option) needs a value") }
            switch option {
            case "--port": port = try Self.number(value, of: option)
            case "--threads": threads = max(1, try Self.number(value, of: option))
            case "--path": path = value
            case "--protocol":
                guard let name = ProtocolName(rawValue: value) else {
                    throw Mistake(sentence: "\(value) is not spoken")
                }
                protocolName = name
            case "--ping-interval": configuration.pingInterval = try Self.time(value, of: option)
            case "--ping-timeout": configuration.pingTimeout = try Self.time(value, of: option)
            case "--connect-timeout": configuration.connectTimeout = try Self.time(value, of: option)
            case "--request-timeout": configuration.requestTimeout = try Self.time(value, of: option)
            case "--upgrade-timeout": configuration.upgradeTimeout = try Self.time(value, of: option)
            case "--stall-timeout": configuration.stallTimeout = try Self.time(value, of: option)
            case "--auth-delay": authDelay = .milliseconds(try Self.number(value, of: option))
            case "--max-payload": configuration.maximumPayload = try Self.number(value, of: option)
            case "--connections": configuration.maximumConnections = try Self.number(value, of: option)
            case "--events-per-second":
                configuration.maximumEventsPerSecond = try Self.number(value, of: option)
                configuration.maximumEventBurst = configuration.maximumEventsPerSecond / 10
            case "--writes": configuration.writesDirectly = value == "direct"
            default: throw Mistake(sentence: "there is no \(option)")
            }
        }
        configuration.path = path ?? "/\(protocolName.rawValue)/"
    }

    private static func number(_ value: String, of option: String) throws(Mistake) -> Int {
        guard let number = Int(value), number >= 0 else {
            throw Mistake(sentence: "\(option) takes a number, and \(value) is none")
        }
        return number
    }

    private static func time(_ value: String, of option: String) throws(Mistake) -> TimeAmount {
        .milliseconds(Int64(try number(value, of: option)))
    }

    struct Mistake: Error {
        var sentence: String
    }
}
