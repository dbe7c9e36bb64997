import Foundation
import Synchronization
import Testing
import WireJSON

/// A demo server and a Python process that the tests of a suite share.
final class Stage: Sendable {
    let server: ServerProcess
    let peers: PeerHost
    private let tokens = Mutex<[Account: String]>([:])

    @TaskLocal private static var shared: Stage?

    /// The one of the suite that this test belongs to.
    static var current: Stage {
        get throws {
            guard let shared else { throw MissingProgram("This suite has to be declared with the trait .stage().") }
            return shared
        }
    }

    init(_ server: ServerProcess, _ peers: PeerHost) {
        self.server = server
        self.peers = peers
    }

    /// A token of that account: of one and the same sign-in for all tests that do not end it.
    func token(_ account: Account) async throws -> String {
        if let token = tokens.withLock({ $0[account] }) { return token }
        let token = try await peers.signIn(server, account)
        tokens.withLock { $0[account] = token }
        return token
    }

    func connect(_ account: Account, _ stem: String = "socket") async throws -> SocketPeer {
        let peer = try await peers.connect(server, stem, auth: ["token": .string(try await token(account))])
        try await peer.identity("auth")
        return peer
    }

    /// An account of a test's own, made while the server runs.
    func account(role: String = "user") async throws -> Account {
        let account = Account(
            email: peers.name("account").replacing(" ", with: "-") + "@example.org", password: "correct horse")
        try await server.user("add", "--email", account.email, "--role", role, password: account.password)
        return account
    }

    /// Writes a row with the `sqlite3` shell.
    @discardableResult
    func write(_ row: String, adminOnly: Bool = false) async throws -> Run {
        try await server.sqlite("insert into thing(name, admin_only) values('\(row)', \(adminOnly ? 1 : 0));")
    }

    /// A row's name that no other row has.
    func row(_ stem: String) -> String { peers.name(stem) }

    /// Proves by an event that all these must see what has not come to them: whatever was committed before this call
    /// has come when it returns, or never does. Each has to belong to somebody.
    func barrier(_ sockets: SocketPeer...) async throws {
        let row = row("barrier")
        try await write(row)
        for socket in sockets { try await socket.thing(row) }
    }

    /// The same for a socket that belongs to nobody: it is given to the user, and then has to see a row.
    ///
    /// - Returns: how much it had heard when it was given away: what came later, the user may see.
    @discardableResult
    func barrier(anonymous socket: SocketPeer) async throws -> Int {
        let before = socket.count
        let answer = try await socket.call("login", .string(try await token(.user)))
        guard answer == ["data": "registered"] else {
            throw PeerError(operation: "login", sentence: answer.description)
        }
        let given = try await socket.identity("login", from: before)
        try await barrier(socket)
        return given.index
    }

    /// Runs `body` with a server of its own and a Python process, and ends both.
    static func with<Result>(
        _ arguments: [String] = ["--demo"], environment: [String: String] = [:], _ body: (Stage) async throws -> Result
    ) async throws -> Result {
        try await withServer(arguments, environment: environment) { server in
            let peers = try PeerHost()
            let result: Result
            do {
                result = try await body(Stage(server, peers))
            } catch {
                try? await peers.end()
                throw error
            }
            try await peers.end()
            #expect(peers.complaints.isEmpty, "python-socketio complains: \(peers.complaints)")
            return result
        }
    }

    static func share<Result>(_ stage: Stage, _ body: () async throws -> Result) async throws -> Result {
        try await $shared.withValue(stage, operation: body)
    }
}

/// Gives a suite its ``Stage``.
struct StageTrait: SuiteTrait, TestScoping {
    var arguments: [String]

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await Stage.with(arguments) { stage in
            try await Stage.share(stage) { try await function() }
        }
    }
}

extension Trait where Self == StageTrait {
    /// A server of this suite's own, started with these arguments.
    static func stage(_ arguments: String...) -> StageTrait {
        StageTrait(arguments: arguments.isEmpty ? ["--demo"] : arguments)
    }
}

/// All tests on real processes, one after the other: they measure, and they share two cores.
@Suite("On real processes", .serialized)
enum EndToEnd {}
