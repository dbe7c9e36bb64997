import RolecallProtocol
import WireJSON

extension Application {
    /// - Parameter text: nil takes the text from standard input, without its last line's end.
    func send(_ text: String?, room: String?) async throws {
        let body: String
        if let text {
            body = text
        } else {
            let whole = try await input.lines().rest()
            body = whole.hasSuffix("\n") ? String(whole.dropLast()) : whole
        }
        let answer = try await withConnection(.once) { supervisor in
            try await within(Self.answerTimeout * 2, orThrow: .timedOut("The server did not say who this is.")) {
                try await firstIdentity(of: supervisor)
            }
            return try await request(ClientEvent.message, [Self.message(body, room: room)], of: supervisor)
        }
        if case .refused(let error) = Acknowledgement(json: answer) { throw Failure(error) }
        try await console.print(.acknowledgement(command: "send", answer: answer))
    }

    /// The payload of a chat message.
    static func message(_ body: String, room: String? = nil) -> JSON {
        var message: JSONObject = ["body": .string(body)]
        if let room { message["room"] = .string(room) }
        return .object(message)
    }

    /// Makes a request on a connection that nobody else reads: what arrives meanwhile is passed over.
    private func request(
        _ event: String, _ arguments: [JSON], of supervisor: ConnectionSupervisor
    ) async throws -> JSON {
        try await withThrowingTaskGroup(of: JSON?.self) { group in
            group.addTask {
                try await supervisor.request(command: "send", event, arguments, timeout: Self.answerTimeout)
            }
            group.addTask {
                while await supervisor.next() != nil {}
                return nil
            }
            defer { group.cancelAll() }
            for try await answer in group {
                if let answer { return answer }
            }
            throw RequestFailure.connectionLost
        }
    }
}
