import Base64Coding
import Crypto
import CryptoExtras
import Glibc
import NIOPosix
import Synchronization

/// scrypt (RFC 7914) on threads of its own: a storm of logins slows logins down and nothing else.
///
/// A hash says its parameters, `$scrypt$ln=15,r=8,p=1$salt$key` with unpadded base64, so that they can be raised
/// later; a login whose hash is of weaker parameters is the moment to do so.
package final class PasswordHasher: Sendable {
    package struct Parameters: Sendable, Equatable {
        /// The binary logarithm of N: 2^N · r · 128 bytes of memory.
        package var logN: Int
        package var r: Int
        package var p: Int

        package init(logN: Int, r: Int, p: Int) {
            self.logN = logN
            self.r = r
            self.p = p
        }

        package static let standard = Parameters(logN: 15, r: 8, p: 1)
        /// No hash may ask for more than this: 2^20 · 16 · 128 bytes is 2 GiB.
        var isAcceptable: Bool { (1...20).contains(logN) && (1...16).contains(r) && (1...16).contains(p) }
    }

    /// What a check found.
    package enum Verdict: Sendable, Equatable {
        case wrong
        case right
        /// Right, and the hash to store in the old one's place.
        case rightButWeak
    }

    private let parameters: Parameters
    private let pool: NIOThreadPool
    private let waiting = Atomic<Int>(0)
    private let maximumWaiting: Int
    /// Checked in place of an unknown account's hash, so that the answer takes as long.
    private let decoy: String

    /// - Parameters:
    ///   - threads: how many hashes are computed at once; each takes 32 MiB while it is.
    ///   - maximumWaiting: how many may wait for that; one more is refused with ``DomainError/busy(_:)``.
    package init(parameters: Parameters = .standard, threads: Int = 1, maximumWaiting: Int = 64) {
        self.parameters = parameters
        self.maximumWaiting = maximumWaiting
        pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
        decoy = PasswordHasher.format(
            parameters, salt: [UInt8](repeating: 0, count: 16), key: [UInt8](repeating: 0, count: 32))
    }

    package func shutdown() async throws {
        try await pool.shutdownGracefully()
    }

    package func hash(_ password: String) async throws(DomainError) -> String {
        let salt = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        let parameters = parameters
        return try await onPool {
            let key = try PasswordHasher.derive(password, salt: salt, parameters: parameters)
            return PasswordHasher.format(parameters, salt: salt, key: key.withUnsafeBytes { Array($0) })
        }
    }

    /// Checks a password in the same time whether it is right, wrong, or there is no account.
    ///
    /// - Parameter hash: nil for an unknown account.
    package func verify(_ password: String, against hash: String?) async throws(DomainError) -> Verdict {
        let text = hash ?? decoy
        let exists = hash != nil
        let wanted = parameters
        return try await onPool {
            guard let (parameters, salt, key) = PasswordHasher.parse(text) else { return .wrong }
            let derived = try PasswordHasher.derive(password, salt: salt, parameters: parameters)
            // Keys are compared in constant time.
            guard derived == SymmetricKey(data: key), exists else { return .wrong }
            return parameters == wanted ? .right : .rightButWeak
        }
    }

    private func onPool<Output: Sendable>(
        _ body: @escaping @Sendable () throws -> Output
    ) async throws(DomainError) -> Output {
        guard waiting.add(1, ordering: .relaxed).newValue <= maximumWaiting else {
            waiting.subtract(1, ordering: .relaxed)
            throw .busy("Too many logins at once; try again in a second.")
        }
        defer { waiting.subtract(1, ordering: .relaxed) }
        do {
            return try await pool.runIfActive {
                PasswordHasher.giveWay()
                return try body()
            }
        } catch {
            throw error is CancellationError ? .cancelled : .failed(cause: "a password could not be hashed: \(error)")
        }
    }

    /// By how much the hashing threads are nicer than the rest of the process: a third of another thread's share where
    /// both want one core, and so a storm of logins does not slow those who deliver events.
    ///
    /// With more, 19 say, another process that never rests would leave logins next to nothing: a seventieth of what it
    /// takes itself. Beside two of them a login took twenty seconds.
    static let niceness: Int32 = 5

    /// On Linux a priority belongs to one thread, and the process's own is its first thread's.
    private static func giveWay() {
        let kind = __priority_which_t(PRIO_PROCESS.rawValue)
        _ = setpriority(kind, 0, min(19, getpriority(kind, id_t(getpid())) + niceness))
    }

    private static func derive(_ password: String, salt: [UInt8], parameters: Parameters) throws -> SymmetricKey {
        try KDF.Scrypt.deriveKey(
            from: Array(password.utf8), salt: salt, outputByteCount: 32, rounds: 1 << parameters.logN,
            blockSize: parameters.r, parallelism: parameters.p)
    }

    private static func format(_ parameters: Parameters, salt: [UInt8], key: [UInt8]) -> String {
        func base64(_ bytes: [UInt8]) -> String { Base64.encode(bytes, isPadded: false) }
        return
            "$scrypt$ln=\(parameters.logN),r=\(parameters.r),p=\(parameters.p)$\(base64(salt))$\(base64(key))"
    }

    private static func parse(_ text: String) -> (parameters: Parameters, salt: [UInt8], key: [UInt8])? {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[1] == "scrypt", let salt = Base64.decode(parts[3]),
            let key = Base64.decode(parts[4])
        else {
            return nil
        }
        var numbers: [Substring: Int] = [:]
        for pair in parts[2].split(separator: ",") {
            let sides = pair.split(separator: "=", maxSplits: 1)
            guard sides.count == 2, let number = Int(sides[1]) else { return nil }
            numbers[sides[0]] = number
        }
        guard let logN = numbers["ln"], let r = numbers["r"], let p = numbers["p"] else { return nil }
        let parameters = Parameters(logN: logN, r: r, p: p)
        return parameters.isAcceptable ? (parameters, salt, key) : nil
    }
}
