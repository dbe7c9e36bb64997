import NIOCore

extension SocketHub {
    /// Ends the loop's sessions, evenly over a window, each once its client has taken what was sent.
    func drain(over window: TimeAmount, patience: TimeAmount) async {
        try? await eventLoop.flatSubmit { self.beginDrain(over: window, patience: patience) }.get()
    }

    /// - Returns: done when the last one has ended.
    private func beginDrain(over window: TimeAmount, patience: TimeAmount) -> EventLoopFuture<Void> {
        let done = eventLoop.makePromise(of: Void.self)
        let leaving = openSessions
        guard !leaving.isEmpty else {
            done.succeed()
            return done.futureResult
        }
        let loop = eventLoop.assumeIsolated()
        for (place, session) in leaving.enumerated() {
            let moment = TimeAmount.nanoseconds(window.nanoseconds / Int64(leaving.count) * Int64(place))
            loop.scheduleTask(in: moment) { session.endOnceTaken(patience: patience) }
        }
        // Sessions can end by themselves; whoever is left when the time is over is ended then.
        let end = eventLoop.now + window + patience
        func look() {
            if openSessions.isEmpty || eventLoop.now >= end { return done.succeed() }
            loop.scheduleTask(in: .milliseconds(10)) { look() }
        }
        look()
        return done.futureResult
    }
}

extension EngineSession {
    fileprivate func endOnceTaken(patience: TimeAmount) {
        let loop = hub.eventLoop.assumeIsolated()
        // In a turn of its own: the outbox may be at work when it calls.
        outbox.whenTaken { loop.execute { self.serverStops() } }
        loop.scheduleTask(in: patience) { self.serverStops() }
    }
}
