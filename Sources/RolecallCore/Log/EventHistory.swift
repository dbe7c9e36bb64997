import ModelStore
import RolecallProtocol

/// The log as a caller may see it now, each record as a socket of the caller's would be sent it.
package struct EventHistory: Sendable {
    package static let defaultLimit = 100
    package static let maximumLimit = 1000
    /// How many records of the log one call reads, whatever the caller may see of them.
    static let longestReading = 10_000
    /// An answer ends early once it is about so large, in bytes.
    static let maximumSize = 8 << 20
    private static let batchLimit = 256

    /// What is asked for.
    package struct Query: Sendable {
        /// Nil for the log's beginning.
        package var after: Position?
        package var limit = EventHistory.defaultLimit
        /// Nil for all that the caller may see.
        package var models: Set<String>?

        package init() {}
    }

    package enum Entry: Sendable {
        case event(ModelEvent)
        case gap(Gap)
    }

    package enum Answer: Sendable {
        /// The position says how far the log was read, whether or not all of that can be seen: a caller who goes on from
        /// there misses nothing, and has seen all when the position stays where it was.
        case entries([Entry], upTo: Position)
        /// The position is none of this log, or lies before what it still holds. `before` is where that begins.
        case gap(Gap)
    }

    let store: any LogStore & RowStore
    let encoder: EventEncoder
    private var policy: Policy { encoder.policy }

    // MARK: Judging

    /// - Throws: ``DomainError/unauthenticated`` where a caller without a user may see no model at all.
    package func admit(_ principal: Principal?) throws(DomainError) {
        if principal == nil, policy.visibleModels(to: view(of: principal)).isEmpty { throw .unauthenticated }
    }

    /// Judges whether a caller may ask for a model.
    ///
    /// - Throws: ``DomainError/notFound(_:field:)``, ``DomainError/unauthenticated`` or
    ///   ``DomainError/forbidden(_:field:)``.
    package func admit(_ principal: Principal?, toModel name: String) throws(DomainError) {
        guard store.models.contains(where: { $0.name == name }) else {
            throw .notFound("There is no model \"\(name.prefix(64))\".", field: "model")
        }
        guard policy.visibleModels(to: view(of: principal)).contains(name) else {
            guard let principal else { throw .unauthenticated }
            throw .forbidden("The role \(principal.user.role) may not see any \(name).", field: "model")
        }
    }

    private func view(of principal: Principal?) -> View {
        policy.view(of: principal)
    }

    // MARK: Reading

    package func read(_ query: Query, as principal: Principal?) async throws(DomainError) -> Answer {
        let view = view(of: principal)
        return try await DomainError.mapping { try await read(query, as: view) }
    }

    private func read(_ query: Query, as view: View) async throws -> Answer {
        var cursor: LogCursor
        if let after = query.after {
            switch try await store.judge(after) {
            case .known(let place): cursor = place
            case .retention(let earliest):
                return .gap(Gap(after: after.description, before: earliest.position, reason: .retention))
            case .unknown:
                let earliest = try await store.span().start
                return .gap(Gap(after: after.description, before: earliest.position, reason: .unknown))
            }
            // Within a folded stretch what was sent does not end at one place: all of it is read, some of it again.
            if let folding = after.folding { cursor.sequence = folding.lowerBound - 1 }
        } else {
            cursor = try await store.span().start
        }
        var (entries, size, count): ([Entry], Int, Int) = ([], 0, 0)
        while true {
            let stretch = try await store.stretch(behind: cursor, limit: Self.batchLimit)
            switch stretch.interruption {
            case nil: break
            // What is lost meanwhile is for the next call to hear of.
            case .some where count > 0: return .entries(entries, upTo: cursor.position)
            case .retention:
                return .gap(
                    Gap(
                        after: cursor.position.description, before: stretch.start.position, reason: .retention))
            case .setBack:
                return .gap(
                    Gap(after: cursor.position.description, before: stretch.start.position, reason: .unknown))
            }
            for record in stretch.entries {
                count += 1
                cursor = LogCursor(era: stretch.end.era, sequence: record.sequence)
                guard query.models?.contains(record.model) ?? true,
                    let entry = entry(of: record, in: cursor.era, to: view)
                else { continue }
                entries.append(entry)
                size += record.after?.approximateSize ?? 0
                if entries.count == query.limit || size >= Self.maximumSize {
                    return .entries(entries, upTo: cursor.position)
                }
            }
            cursor = stretch.end
            if !stretch.mayHoldMore || count >= Self.longestReading {
                return .entries(entries, upTo: cursor.position)
            }
        }
    }

    private func entry(of record: ChangeRecord, in era: Era, to view: View) -> Entry? {
        if let gap = encoder.gap(record, in: era, to: view) { return .gap(gap) }
        return encoder.modelEvent(for: record, in: era, to: view).map(Entry.event)
    }
}
