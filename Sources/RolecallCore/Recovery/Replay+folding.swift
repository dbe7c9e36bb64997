import ModelStore
import RolecallProtocol
import SocketIOServer

/// A client that was cut off within a stretch that had been folded for it has the newest events of some rows, and
/// nothing of the others: these it is sent here, folded as they would have been.
extension Replay {
    /// Rows in one stretch, at most: a queue of events that were folded holds some tens of thousands, by its limit.
    private static let maximumStandIns = 100_000

    /// What stands for all events of a row in the stretch.
    private struct StandIn {
        var sequence: Int64
        var count: Int
        var digest: ModelEventDigest
    }

    /// - Parameter start: the last event of the stretch that the client has.
    /// - Returns: false where the socket is live by now, or gone.
    func sendRest(of folding: ClosedRange<Int64>, after start: LogCursor, to socket: Socket) async throws -> Bool {
        let era = start.era
        guard let receivers = await socket.onLoop({ $0.identity?.receiverClass }) else { return false }
        guard let standIns = try await standIns(in: folding, of: era, for: receivers, to: socket) else {
            return await giveUp(folding, of: era, for: socket)
        }
        var cursor = start.sequence
        while cursor < folding.upperBound {
            let events = try await events(after: cursor, through: folding.upperBound, of: era, to: socket)
            for stretch in LogReader.stretches(of: events) {
                let batch = OutboundBatch(
                    stretch.compactMap { event in
                        guard receivers.interest.includes(event) else { return nil }
                        return outboundEvent(event, of: folding, in: era, to: receivers.view, by: standIns)
                    })
                let sequence = stretch.last?.sequence ?? folding.upperBound
                let isGoingOn = await socket.onLoop { socket in
                    guard socket.isConnected, let identity = socket.identity, !identity.isLive,
                        identity.view == receivers.view
                    else { return false }
                    socket.send(batch)
                    identity.replayed = position(sequence, of: era, in: folding)
                    return true
                }
                guard isGoingOn else { return false }
                await socket.caughtUp()
            }
            cursor = events.last?.sequence ?? folding.upperBound
        }
        return await socket.onLoop { socket in
            // A change of identity has made it live.
            guard socket.isConnected, let identity = socket.identity, !identity.isLive,
                identity.view == receivers.view
            else { return false }
            identity.replayed = position(folding.upperBound, of: era, in: folding)
            return true
        }
    }

    /// - Returns: nil where there are more than any queue that was folded has held.
    private func standIns(
        in folding: ClosedRange<Int64>, of era: Era, for receivers: ReceiverClass, to socket: Socket
    ) async throws -> [String: StandIn]? {
        var standIns: [String: StandIn] = [:]
        var cursor = folding.lowerBound - 1
        while cursor < folding.upperBound {
            let events = try await events(after: cursor, through: folding.upperBound, of: era, to: socket)
            for event in events where receivers.interest.includes(event) {
                guard event.change != .gap, let modelEvent = encoder.modelEvent(for: event, in: era, to: receivers.view)
                else {
                    continue
                }
                let key = EventEncoder.foldingKey(of: event)
                var standIn = StandIn(sequence: event.sequence, count: 1, digest: ModelEventDigest(modelEvent))
                if let older = standIns[key] {
                    standIn.count += older.count
                    standIn.digest = standIn.digest.standing(for: older.digest)
                }
                standIns[key] = standIn
            }
            if standIns.count > Self.maximumStandIns { return nil }
            cursor = events.last?.sequence ?? folding.upperBound
        }
        return standIns
    }

    /// No server ever gave a client such a position; what it asks for is lost, and said to be.
    private func giveUp(_ folding: ClosedRange<Int64>, of era: Era, for socket: Socket) async -> Bool {
        await socket.onLoop { socket in
            guard socket.isConnected, let identity = socket.identity, !identity.isLive else {
                return false
            }
            let gap = Gap(
                after: Position(era: era, sequence: folding.lowerBound - 1).description,
                before: Position(era: era, sequence: folding.upperBound), reason: .overflow)
            socket.emit(Gap.eventName, [gap.json])
            identity.replayed = position(folding.upperBound, of: era, in: folding)
            return true
        }
    }

    /// The next events; none where there are no more in the stretch.
    private func events(
        after sequence: Int64, through last: Int64, of era: Era, to socket: Socket
    ) async throws -> [ChangeRecord] {
        let stretch = try await stretch(behind: sequence, of: era)
        if stretch.start.sequence > sequence {
            await sendRetentionGap(after: sequence, before: stretch.start.sequence, of: era, to: socket)
        }
        return stretch.entries.filter { $0.sequence <= last }
    }

    /// What an event of the stretch comes to; nil for one that a newer one stands for.
    private func outboundEvent(
        _ event: ChangeRecord, of folding: ClosedRange<Int64>, in era: Era, to view: View,
        by standIns: [String: StandIn]
    ) -> OutboundEvent? {
        if let gap = encoder.gap(event, in: era, to: view) {
            return OutboundEvent(Gap.eventName, [gap.json], number: event.sequence)
        }
        guard var modelEvent = encoder.modelEvent(for: event, in: era, to: view),
            let standIn = standIns[EventEncoder.foldingKey(of: event)],
            standIn.sequence == event.sequence
        else { return nil }
        modelEvent.operation = standIn.digest.operation
        modelEvent.changed = standIn.digest.changed
        modelEvent.folded = standIn.count > 1 ? standIn.count : nil
        modelEvent.position = position(event.sequence, of: era, in: folding)
        // It is not folded with what comes later: its position says what it stands for.
        return OutboundEvent(modelEvent.name, modelEvent.arguments, number: event.sequence)
    }

    private func position(_ sequence: Int64, of era: Era, in folding: ClosedRange<Int64>) -> Position {
        Position(
            era: era, sequence: sequence,
            folding: sequence < folding.upperBound ? folding : nil)
    }
}
