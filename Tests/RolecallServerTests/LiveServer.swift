import Dispatch
import Foundation
import Logging
import ModelStore
import NIOCore
import RolecallConfiguration
import RolecallProtocol
import ServiceLifecycle
import SocketIOClient
import SocketIOServer
import Synchronization
import TestSupport
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

/// A whole server in this process, on a port of its own and a directory that goes with it.
struct LiveServer: Sendable {
    let url: String
    let store: any Store
    /// Of the log, when the server was started.
    let era: Era
    let tokens: TokenAuthority
    let association: Association
    let node: LocalNode
    let server: SocketIOServer
    let metrics: MetricRegistry
    let databasePath: String

    /// Runs a body against a demo server, and stops the server whatever happens.
    static func run(
        configure: (inout Configuration) -> Void = { _ in },
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, on store: (any Store)? = nil,
        _ body: (LiveServer) async throws -> Void
    ) async throws {
        let directory = NSTemporaryDirectory() + "rolecall-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var configuration = Configuration(
            storeURL: "sqlite:" + directory + "/rolecall.db", keyPath: directory + "/key")
        configuration.port = 0
        configuration.isDemo = true
        // Tests log in a lot, and a debug build hashes slowly.
        configuration.passwordParameters = PasswordHasher.Parameters(logN: 4, r: 8, p: 1)
        configure(&configuration)

        let (addresses, listening) = AsyncStream.makeStream(of: String.self)
        let application =
            if let store {
                try await RolecallApplication.assemble(
                    configuration, .builtIn(demo: configuration.isDemo), on: store, logger: logger
                ) { listening.yield($0) }
            } else {
                try await RolecallApplication.build(configuration, logger: logger) { listening.yield($0) }
            }
        let tokens = await TokenAuthority(key: try KeyFile.read(configuration.keyPath))
        let serviceGroup = ServiceGroup(
            configuration: .init(services: [application], gracefulShutdownSignals: [], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { listening.finish() }
                try await serviceGroup.run()
            }
            var iterator = addresses.makeAsyncIterator()
            if let address = await iterator.next() {
                do {
                    try await body(
                        LiveServer(
                            url: "http://\(address)", store: application.domain.store,
                            era: try await application.domain.store.head().era, tokens: tokens,
                            association: application.domain.association, node: application.live.node,
                            server: application.server, metrics: application.metrics,
                            databasePath: String(configuration.storeURL.dropFirst(7))))
                } catch {
                    await serviceGroup.triggerGracefulShutdown()
                    throw error
                }
            }
            await serviceGroup.triggerGracefulShutdown()
            try await group.waitForAll()
        }
    }

    func user(_ email: String) async throws -> UserRecord {
        try #require(try await store.inspect { try $0.user(email: email) }.value)
    }

    /// A good token, without the detour of a login.
    func token(for email: String, lifetime: Int = 3600, session: String? = nil) async throws -> String {
        let user = try await user(email)
        return try await tokens.token(
            for: TokenAuthority.Claims(
                _id: user.id, role: user.role, exp: Timestamp.now.seconds + Double(lifetime), sid: session,
                gen: user.generation))
    }

    /// Runs statements with the database's own shell, in another process.
    func shell(_ sql: String) async throws {
        try await Self.shell(sql, on: databasePath)
    }

    static func shell(_ sql: String, on databasePath: String) async throws {
        let process = try spawn(
            ["sqlite3", "-bail", "-cmd", ".timeout 20000", databasePath, sql],
            environment: ProcessInfo.processInfo.environment, descriptors: [.nothing, .nothing, .nothing])
        let status = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                var status: Int32 = 0
                waitpid(process, &status, 0)
                continuation.resume(returning: status)
            }
        }
        try #require(status == 0)
    }

    /// Returns when every event loop has told the log up to here.
    func told(_ position: Position) async {
        for loop in association.receivers.loops {
            await withCheckedContinuation { continuation in
                loop.eventLoop.execute { loop.whenDelivered(LogCursor(position)) { continuation.resume() } }
            }
        }
    }

    func model(_ name: String) throws -> Model {
        try #require(store.models.first { $0.name == name })
    }

    @discardableResult
    func addThing(_ name: String, adminOnly: Bool = false) async throws -> Position {
        let model = try model("thing")
        return try await store.transaction {
            _ = try $0.insert(
                [
                    (column: "name", value: .text(name)), (column: "admin_only", value: .boolean(adminOnly)),
                ], into: model)
        }.place
    }

    func connect(headers: [(String, String)] = [], auth: JSON? = nil) async throws -> TestSocket {
        var configuration = try SocketIOClientConfiguration(url: url)
        configuration.headers = headers
        configuration.auth = auth
        return TestSocket(try await SocketIOConnection.connect(configuration))
    }
}

extension Committed {
    /// Where the log has it: a store in one file knows at once.
    var place: Position {
        get throws {
            guard case .at(let position) = position else { throw TestSocket.Missing(what: "the position is pending") }
            return position
        }
    }
}

/// A socket that keeps all that it was sent, in order.
final class TestSocket: Sendable {
    /// What came, acknowledgements among the events in the order of the wire.
    enum Received: Sendable, Equatable {
        case event(String, [JSON])
        case acknowledged

        var identity: Identity? {
            guard case .event(Identity.eventName, let arguments) = self else { return nil }
            return arguments.first.flatMap(Identity.init)
        }

        var modelEvent: ModelEvent? {
            guard case .event(let name, let arguments) = self else { return nil }
            return ModelEvent(name: name, arguments: arguments)
        }
    }

    private actor Log {
        var received: [Received] = []
        var isOver = false
        private var waiters: [CheckedContinuation<Void, Never>] = []

        func append(_ item: Received) {
            received.append(item)
            wake()
        }

        func end() {
            isOver = true
            wake()
        }

        func wake() {
            let waiting = waiters
            waiters = []
            for waiter in waiting { waiter.resume() }
        }

        /// Returns when there is more than `count`, or something else to know; at once where there is already.
        func change(since count: Int) async {
            guard received.count == count, !isOver else { return }
            await withCheckedContinuation { waiters.append($0) }
        }
    }

    let connection: SocketIOConnection
    private let log = Log()
    /// How many calls have been answered.
    private let answered = Atomic(0)
    /// Who is on comes when it comes, whatever else a socket is told.
    private let presenceLog = Log()

    /// - Parameter pace: how long it takes its time with each thing that comes: a client that reads slowly.
    init(_ connection: SocketIOConnection, pace: Duration = .zero) {
        self.connection = connection
        let log = log
        let presenceLog = presenceLog
        let incoming = connection.incoming
        Task {
            for await item in incoming {
                if pace > .zero { try? await Task.sleep(for: pace) }
                switch item {
                case .event("presence", let arguments, _, _): await presenceLog.append(.event("presence", arguments))
                case .event(let name, let arguments, _, _): await log.append(.event(name, arguments))
                case .acknowledgement: await log.append(.acknowledged)
                case .disconnected: await log.end()
                }
            }
            await log.end()
            await presenceLog.end()
        }
    }

    var received: [Received] {
        get async { await log.received }
    }

    /// All that it was told of who is on, in order.
    var presence: [JSON] {
        get async { await presenceLog.received.compactMap(Self.presence) }
    }

    /// All that it was told of who is on, once the body holds of it.
    @discardableResult
    func presence(where isEnough: @escaping @Sendable ([JSON]) -> Bool) async throws -> [JSON] {
        try await wait(for: presenceLog) { received in
            let presence = received.compactMap(Self.presence)
            return isEnough(presence) ? presence : nil
        }
    }

    private static func presence(_ item: Received) -> JSON? {
        guard case .event(_, let arguments) = item else { return nil }
        return arguments.first
    }

    /// The answer. What came before it on the wire is among ``received`` by then.
    func call(_ name: String, _ arguments: [JSON] = []) async throws -> JSON {
        let answer = try await connection.emitWithAcknowledgement(name, arguments, timeout: .seconds(90))
        // The answer and what came with it are handed out in ways of their own.
        let calls = answered.add(1, ordering: .relaxed).newValue
        while true {
            let received = await log.received
            if received.count(where: { $0 == .acknowledged }) >= calls { break }
            if await log.isOver { break }
            await log.change(since: received.count)
        }
        return answer.first ?? .null
    }

    /// The first thing received, from the beginning on, that the body makes something of.
    func first<Output: Sendable>(_ body: @escaping @Sendable (Received) -> Output?) async throws -> Output {
        try await wait(for: log) { $0.lazy.compactMap(body).first }
    }

    /// Waits until the body makes something of all that was received.
    private func wait<Output: Sendable>(
        for log: Log, within deadline: Duration = .seconds(90),
        _ body: @escaping @Sendable ([Received]) -> Output?
    ) async throws -> Output {
        return try await withThrowingTaskGroup(of: Output.self) { group in
            group.addTask {
                while true {
                    let received = await log.received
                    if let output = body(received) { return output }
                    if await log.isOver { throw Missing(what: "the connection ended before it came") }
                    try Task.checkCancellation()
                    await log.change(since: received.count)
                }
            }
            group.addTask {
                try await Task.sleep(for: deadline)
                await log.wake()
                throw Missing(what: "it did not come in \(deadline)")
            }
            defer {
                group.cancelAll()
                Task { await log.wake() }
            }
            guard let output = try await group.next() else { throw Missing(what: "nothing") }
            return output
        }
    }

    func identity(_ reason: IdentityReason) async throws -> Identity {
        try await first { item in item.identity.flatMap { $0.reason == reason ? $0 : nil } }
    }

    /// All that was received, once it is so much.
    func received(atLeast count: Int) async throws -> [Received] {
        try await wait(for: log) { $0.count >= count ? $0 : nil }
    }

    /// Waits for the end of the connection.
    func over() async throws {
        while await !log.isOver { await log.change(since: log.received.count) }
    }

    /// Waits for the thing of that name.
    @discardableResult
    func thing(_ name: String) async throws -> ModelEvent {
        try await first { item in item.modelEvent.flatMap { $0.row["name"]?.stringValue == name ? $0 : nil } }
    }

    /// The names of all things it was told of.
    var thingNames: [String] {
        get async { await received.compactMap { $0.modelEvent?.row["name"]?.stringValue } }
    }

    struct Missing: Error, CustomStringConvertible {
        var what: String
        var description: String { what }
    }
}
