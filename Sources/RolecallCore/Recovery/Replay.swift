import ModelStore
import NIOCore
import RolecallProtocol
import SocketIOServer

/// Sends a socket what it missed, and brings it to the live stream without a hole and without a double.
struct Replay: Sendable {
    static let batchLimit = 256

    let store: any Store
    let association: Association
    let encoder: EventEncoder

    /// Where a client may resume: the position as it was given, or what it has lost.
    enum Start: Sendable {
        case resume(Position)
        case gap(Gap.Reason)
    }

    /// Judges the position that a client brings.
    func start(after text: String) async throws -> Start {
        guard let position = Position(text), position.era == association.logID else { return .gap(.unknown) }
        let snapshot = try await store.read { try $0.earliestSequence() }
        let last = position.folding?.upperBound ?? position.sequence
        if last > snapshot.position.sequence { return .gap(.unknown) }
        // Numbers can be missing from the log; only one that stood below its first entry is lost.
        let next = position.folding?.lowerBound ?? position.sequence + 1
        if next < snapshot.value { return .gap(.retention) }
        return .resume(position)
    }

    /// Reads on from `start` until the socket has been sent all that its loop has delivered, and makes it live in the
    /// same turn. What stands in the log beyond that comes live. A change of identity in between ends the replay: with
    /// a new epoch a client begins anew.
    func run(on socket: Socket, from start: Position) async throws {
        var machine = RecoveryMachine(after: start.folding?.upperBound ?? start.sequence)
        // A list can be ahead of what this loop has delivered: live from here, the socket would be sent that once more.
        await waitUntilDelivered(machine.sent, on: socket)
        if let folding = start.folding {
            guard try await sendRest(of: folding, after: start.sequence, to: socket) else { return }
        }
        while true {
            let after = machine.covered
            let snapshot = try await store.read { transaction in
                let earliest = try transaction.earliestSequence()
                return (earliest, try transaction.events(after: max(after, earliest - 1), limit: Self.batchLimit))
            }
            let (earliest, events) = snapshot.value
            let lost = machine.read(
                earliest: earliest, last: events.last?.sequence, isFull: events.count == Self.batchLimit,
                head: snapshot.position.sequence)
            if let lost { await sendRetentionGap(after: lost.after, before: lost.through, to: socket) }
            var stretches = LogReader.stretches(of: events)
            let rest = stretches.popLast() ?? []
            for stretch in stretches {
                let end = stretch.last?.sequence ?? after
                // What the loop has not delivered could not be sent yet, and what is behind it must not come first.
                await waitUntilDelivered(end, on: socket)
                guard let next = await send(stretch, through: end, to: socket, machine) else { return }
                machine = next
                await socket.caughtUp()
            }
            guard let next = await send(rest, through: machine.covered, to: socket, machine) else { return }
            machine = next
            await socket.caughtUp()
        }
    }

    /// One turn of the loop.
    ///
    /// - Returns: nil where the socket is live from here on, or gone.
    private func send(
        _ events: [ChangeRecord], through end: Int64, to socket: Socket, _ machine: RecoveryMachine
    ) async -> RecoveryMachine? {
        await socket.onLoop { socket in
            // A change of identity has made it live.
            guard socket.isConnected, let identity = socket.identity, !identity.isLive else {
                return nil
            }
            var machine = machine
            let range = machine.turn(through: end, watermark: association.delivery(of: socket).watermark)
            socket.send(encoder.encode(events.lazy.filter { range.contains($0.sequence) }, for: identity.receiverClass))
            identity.replayed = Position(era: association.logID, sequence: machine.sent)
            guard machine.isLive else { return machine }
            association.goLive(socket)
            return nil
        }
    }

    /// The log has been pruned while it was read.
    func sendRetentionGap(after: Int64, before: Int64, to socket: Socket) async {
        await socket.onLoop { socket in
            guard socket.isConnected, let identity = socket.identity, !identity.isLive else { return }
            let log = association.logID
            let gap = Gap(
                after: Position(era: log, sequence: after).description, before: Position(era: log, sequence: before),
                reason: .retention)
            socket.emit(Gap.eventName, [gap.json])
        }
    }

    private func waitUntilDelivered(_ sequence: Int64, on socket: Socket) async {
        await withCheckedContinuation { continuation in
            socket.eventLoop.execute {
                association.delivery(of: socket).whenDelivered(sequence) { continuation.resume() }
            }
        }
    }
}
