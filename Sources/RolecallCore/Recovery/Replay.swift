import ModelStore
import NIOCore
import RolecallProtocol
import SocketIOServer

/// Sends a socket what it missed, and brings it to the live stream without a hole and without a double.
struct Replay: Sendable {
    static let batchLimit = 256
    /// When thousands of clients come back at once their replays queue up. A replay that can't go on ends the connection,
    /// and its client comes back once more: waiting is better.
    private static var patience: Deadline { .within(.seconds(60)) }

    let store: any LogStore
    let association: Association
    let encoder: EventEncoder

    /// The log was set back, or has begun another era, while a replay read it. Its client comes back, and its position is
    /// judged anew.
    struct EraChanged: Error {}

    /// Where a client may resume, or what it has lost.
    enum Start: Sendable {
        /// Behind this place; within a stretch that was folded for the client, behind this place of it.
        case resume(LogCursor, folding: ClosedRange<Int64>?)
        case gap(Gap.Reason)
    }

    /// Judges the position that a client brings.
    func start(after text: String) async throws -> Start {
        guard let position = Position(text) else { return .gap(.unknown) }
        switch try await store.judge(position, deadline: Self.patience) {
        case .known(let cursor): return .resume(cursor, folding: position.folding)
        case .retention: return .gap(.retention)
        case .unknown: return .gap(.unknown)
        }
    }

    /// Reads on from `start` until the socket has been sent all that its loop has delivered, and makes it live in the
    /// same turn. What stands in the log beyond that comes live. A change of identity in between ends the replay: with
    /// a new epoch a client begins anew.
    func run(on socket: Socket, from start: LogCursor, folding: ClosedRange<Int64>?) async throws {
        let era = start.era
        var machine = RecoveryMachine(after: folding?.upperBound ?? start.sequence)
        // A list can be ahead of what this loop has delivered: live from here, the socket would be sent that once more.
        await waitUntilDelivered(machine.sent, of: era, on: socket)
        if let folding {
            guard try await sendRest(of: folding, after: start, to: socket) else { return }
        }
        while true {
            let stretch = try await stretch(behind: machine.covered, of: era)
            let lost = machine.read(
                earliest: stretch.start.sequence + 1, last: stretch.entries.last?.sequence,
                isFull: stretch.mayHoldMore, head: stretch.end.sequence)
            if let lost { await sendRetentionGap(after: lost.after, before: lost.through, of: era, to: socket) }
            var parts = LogReader.stretches(of: stretch.entries)
            let rest = parts.popLast() ?? []
            for part in parts {
                let end = part.last?.sequence ?? machine.covered
                // What the loop has not delivered could not be sent yet, and what is behind it must not come first.
                await waitUntilDelivered(end, of: era, on: socket)
                guard let next = try await send(part, of: era, through: end, to: socket, machine) else { return }
                machine = next
                await socket.caughtUp()
            }
            guard let next = try await send(rest, of: era, through: machine.covered, to: socket, machine) else {
                return
            }
            machine = next
            await socket.caughtUp()
        }
    }

    /// The next entries.
    ///
    /// - Throws: ``EraChanged``, besides what the store throws.
    func stretch(behind sequence: Int64, of era: Era) async throws -> LogStretch {
        let stretch = try await store.stretch(
            behind: LogCursor(era: era, sequence: sequence), limit: Self.batchLimit, deadline: Self.patience)
        guard stretch.end.era == era else { throw EraChanged() }
        return stretch
    }

    /// One turn of the loop.
    ///
    /// - Returns: nil where the socket is live from here on, or gone.
    private func send(
        _ events: [ChangeRecord], of era: Era, through end: Int64, to socket: Socket, _ machine: RecoveryMachine
    ) async throws -> RecoveryMachine? {
        let outcome: Result<RecoveryMachine?, EraChanged> = await socket.onLoop { socket in
            // A change of identity has made it live.
            guard socket.isConnected, let identity = socket.identity, !identity.isLive else { return .success(nil) }
            let watermark = association.delivery(of: socket).watermark
            guard watermark.era == era else { return .failure(EraChanged()) }
            var machine = machine
            let range = machine.turn(through: end, watermark: watermark.sequence)
            socket.send(
                encoder.encode(
                    events.lazy.filter { range.contains($0.sequence) }, in: era, for: identity.receiverClass))
            identity.replayed = Position(era: era, sequence: machine.sent)
            guard machine.isLive else { return .success(machine) }
            association.goLive(socket)
            return .success(nil)
        }
        return try outcome.get()
    }

    /// The log has been pruned while it was read.
    func sendRetentionGap(after: Int64, before: Int64, of era: Era, to socket: Socket) async {
        await socket.onLoop { socket in
            guard socket.isConnected, let identity = socket.identity, !identity.isLive else { return }
            let gap = Gap(
                after: Position(era: era, sequence: after).description, before: Position(era: era, sequence: before),
                reason: .retention)
            socket.emit(Gap.eventName, [gap.json])
        }
    }

    private func waitUntilDelivered(_ sequence: Int64, of era: Era, on socket: Socket) async {
        await withCheckedContinuation { continuation in
            socket.eventLoop.execute {
                association.delivery(of: socket).whenDelivered(LogCursor(era: era, sequence: sequence)) {
                    continuation.resume()
                }
            }
        }
    }
}
