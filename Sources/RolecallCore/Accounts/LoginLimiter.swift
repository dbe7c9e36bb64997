import RolecallProtocol
import Synchronization

/// How often a password may be guessed: for each account, for each address, and for each account from each address.
///
/// An attempt is taken from three allowances before the password is looked at, and given back where it was right: so only
/// wrong ones count, and many at once can't slip through together.
///
/// - **An account from one address** has the smallest allowance, so that no single stranger can use up the account's.
/// - **An account** has one over all addresses, filled again faster than the one above: even while many strangers guess,
///   it never stays empty, and its owner gets through. From an address at which the account has signed in since the
///   server started, it is not shared with strangers at all.
/// - **An address** has one over all accounts. This machine's own addresses have none: they are a proxy's as a rule, and
///   so all of the world's; its accounts are limited like all others.
///
/// Unknown accounts are limited like those that exist. Memory is fixed: a place in a table is found by a hash that can't be
/// computed outside, and two that share a place share its allowance.
package final class LoginLimiter: Sendable {
    /// What one table's places hold: so many attempts at once, and one more each `interval`.
    struct Allowance: Sendable {
        var burst: Int64
        /// Milliseconds.
        var interval: Int64

        static let account = Allowance(burst: 20, interval: 3_000)
        static let accountFromAddress = Allowance(burst: 10, interval: 6_000)
        static let address = Allowance(burst: 60, interval: 1_000)
    }

    private struct Table {
        let allowance: Allowance
        /// By place: the moment at which the allowance will be whole again, in milliseconds.
        var whole: [Int64]

        init(_ allowance: Allowance, count: Int) {
            self.allowance = allowance
            whole = Array(repeating: 0, count: count)
        }

        /// How long the next attempt has to wait, in milliseconds; 0 for not at all.
        func wait(_ place: Int, now: Int64) -> Int64 {
            max(0, whole[place] - now - (allowance.burst - 1) * allowance.interval)
        }

        mutating func take(_ place: Int, now: Int64) {
            whole[place] = max(whole[place], now) + allowance.interval
        }

        mutating func giveBack(_ place: Int) {
            whole[place] -= allowance.interval
        }
    }

    private struct Tables {
        var accounts: Table
        var pairs: Table
        var addresses: Table
        /// By place: whose password was right last, from where; a hash.
        var known: [Int]
    }

    /// An attempt under way; ends with ``LoginLimiter/succeeded(_:)`` or ``LoginLimiter/withdraw(_:)``, or counts.
    struct Attempt: Sendable {
        fileprivate var account: Int?
        fileprivate var pair: Int
        fileprivate var address: Int?
        fileprivate var knownPlace: Int
        fileprivate var mark: Int
    }

    private let size: Int
    private let tables: Mutex<Tables>
    private let now: @Sendable () -> Int64

    /// - Parameters:
    ///   - size: places of each table, 1 or more.
    ///   - now: milliseconds of any clock.
    package init(size: Int = 1 << 16, now: @escaping @Sendable () -> Int64 = { Timestamp.now.milliseconds }) {
        self.size = size
        self.now = now
        tables = Mutex(
            Tables(
                accounts: Table(.account, count: size), pairs: Table(.accountFromAddress, count: size),
                addresses: Table(.address, count: size), known: Array(repeating: 0, count: size)))
    }

    /// Begins an attempt.
    ///
    /// - Parameters:
    ///   - account: as it was typed.
    ///   - address: what counts as one address, without the port; nil for one that has no allowance of its own.
    /// - Returns: the attempt; or how many seconds to wait, 1 or more.
    func begin(account: String, address: String?) -> Result<Attempt, Refusal> {
        let account = account.lowercased()
        let network = address ?? ""
        let mark = Self.hash("known", account, network)
        var attempt = Attempt(
            account: place("account", account), pair: place("pair", account, network),
            address: address == nil ? nil : place("address", network), knownPlace: place("known", account, network),
            mark: mark)
        let now = now()
        return tables.withLock { tables in
            if tables.known[attempt.knownPlace] == mark { attempt.account = nil }
            let wait = max(
                tables.pairs.wait(attempt.pair, now: now),
                attempt.address.map { tables.addresses.wait($0, now: now) } ?? 0,
                attempt.account.map { tables.accounts.wait($0, now: now) } ?? 0)
            guard wait == 0 else { return .failure(Refusal(seconds: Int((wait + 999) / 1000))) }
            tables.pairs.take(attempt.pair, now: now)
            if let place = attempt.address { tables.addresses.take(place, now: now) }
            if let place = attempt.account { tables.accounts.take(place, now: now) }
            return .success(attempt)
        }
    }

    /// The password was right.
    func succeeded(_ attempt: Attempt) {
        tables.withLock { tables in
            Self.giveBack(attempt, in: &tables)
            tables.known[attempt.knownPlace] = attempt.mark
        }
    }

    /// The password was not looked at.
    func withdraw(_ attempt: Attempt) {
        tables.withLock { Self.giveBack(attempt, in: &$0) }
    }

    struct Refusal: Error, Equatable {
        /// Until the next attempt can be made.
        var seconds: Int
    }

    private static func giveBack(_ attempt: Attempt, in tables: inout Tables) {
        tables.pairs.giveBack(attempt.pair)
        if let place = attempt.address { tables.addresses.giveBack(place) }
        if let place = attempt.account { tables.accounts.giveBack(place) }
    }

    private func place(_ parts: String...) -> Int {
        Int(UInt(bitPattern: Self.hash(parts)) % UInt(size))
    }

    private static func hash(_ parts: String...) -> Int { hash(parts) }

    /// With the process's own random seed.
    private static func hash(_ parts: [String]) -> Int {
        var hasher = Hasher()
        hasher.combine(parts)
        return hasher.finalize()
    }
}
