import RolecallProtocol

extension Application {
    /// Prints a recording as lines for people, as far apart as they happened.
    func replay(_ request: ReplayRequest) async throws {
        let replay = try Replay(request)
        while let item = await replay.next() {
            switch item {
            case .notice(let notice, _, let server):
                if let line = notice.recorded(at: server ?? configuration.server) { try await console.print(line) }
            case .damaged(let line, let reason):
                await console.say("Line \(line) of \(request.path) can't be shown: \(reason)")
            case .over(_, let fault):
                if let fault { throw FileFault("\(request.path) can't be read further: \(fault)") }
            }
        }
        try Task.checkCancellation()
    }
}
