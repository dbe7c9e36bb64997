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

    let store: any Store
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
        policy.view(role: principal?.user.role, user: principal?.user.owner)
    }

    // MARK: Reading

    /// What one snapshot holds.
    private struct Stretch: Sendable {
        var start: Int64
        var earliest: Int64
        var records: [ChangeRecord]
    }

    package func read(_ query: Query, as principal: Principal?) async throws(DomainError) -> Answer {
        let view = view(of: principal)
        return try await DomainError.mapping { try await read(query, as: view) }
    }

    private func read(_ query: Query, as view: View) async throws -> Answer {
        if let after = query.after, after.era != store.logID { return try await gap(.unknown, after) }
        // Within a folded stretch what was sent does not end at one place: all of it is read, some of it again.
        var cursor = query.after.map { after in after.folding.map { $0.lowerBound - 1 } ?? after.sequence }
        var (entries, size, count): ([Entry], Int, Int) = ([], 0, 0)
        while true {
            let from = cursor
            let snapshot = try await store.read { transaction in
                let earliest = try transaction.earliestSequence()
                let start = from ?? max(0, earliest - 1)
                return Stretch(
                    start: start, earliest: earliest,
                    records: try transaction.events(after: start, limit: Self.batchLimit))
            }
            let stretch = snapshot.value
            if let after = query.after, after.sequence > snapshot.position.sequence {
                return try await gap(.unknown, after)
            }
            // Numbers can be missing from the log; only one that stood below its first entry is lost.
            if stretch.start + 1 < stretch.earliest {
                // What is lost meanwhile is for the next call to hear of.
                guard count == 0 else { return .entries(entries, upTo: position(stretch.start)) }
                return try await gap(.retention, position(stretch.start))
            }
            for record in stretch.records {
                count += 1
                cursor = record.sequence
                guard query.models?.contains(record.model) ?? true, let entry = entry(of: record, to: view) else {
                    continue
                }
                entries.append(entry)
                size += record.after?.approximateSize ?? 0
                if entries.count == query.limit || size >= Self.maximumSize {
                    return .entries(entries, upTo: position(record.sequence))
                }
            }
            // Fewer than were asked for: there are no more up to the snapshot's own position.
            if stretch.records.count < Self.batchLimit { return .entries(entries, upTo: snapshot.position) }
            if count >= Self.longestReading { return .entries(entries, upTo: position(cursor ?? stretch.start)) }
        }
    }

    private func entry(of record: ChangeRecord, to view: View) -> Entry? {
        if let gap = encoder.gap(record, to: view) { return .gap(gap) }
        return encoder.modelEvent(for: record, to: view).map(Entry.event)
    }

    private func position(_ sequence: Int64) -> Position { Position(era: store.logID, sequence: sequence) }

    private func gap(_ reason: Gap.Reason, _ after: Position) async throws -> Answer {
        let earliest = try await store.read { try $0.earliestSequence() }.value
        return .gap(Gap(after: after.description, before: position(max(0, earliest - 1)), reason: reason))
    }
}
