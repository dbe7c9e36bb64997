import Foundation
import Synchronization
import WireJSON

/// A Python process with any number of independent clients in it; see `peer.py`.
final class PeerHost: Sendable {
    private let process: ChildProcess
    private let replies = Transcript<JSON>()
    private struct State {
        var transcripts: [String: Transcript<Heard>] = [:]
        var lastNumber = 0
    }
    private let state = Mutex(State())

    init() throws {
        process = try ChildProcess(Programs.python(), [Programs.peer.path])
        Task { await dispatch() }
    }

    func end() async throws { try await process.end() }

    /// What it wrote on its standard error: a client's complaint about the server.
    var complaints: [String] { process.errors.elements }

    /// A name that nothing here bears yet.
    func name(_ stem: String) -> String { "\(stem) \(number())" }

    /// A number that nothing here bears yet.
    func number() -> Int {
        state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
    }

    /// Has a command done, and waits for the answer.
    @discardableResult
    func command(
        _ operation: String, _ members: JSONObject, within deadline: Duration = .seconds(40)
    ) async throws
        -> JSON
    {
        let id = tell(operation, members)
        let reply = try await replies.first(within: deadline, "the answer to \(operation)") {
            $0["reply"]?.integerValue == Int64(id)
        }
        if let error = reply.element["error"]?.stringValue { throw PeerError(operation: operation, sentence: error) }
        return reply.element["value"] ?? .null
    }

    /// Has a command done, without waiting.
    @discardableResult
    func tell(_ operation: String, _ members: JSONObject) -> Int {
        var command = members
        let id = number()
        command["id"] = .integer(Int64(id))
        command["op"] = .string(operation)
        process.write(line: JSON.object(command).description)
        return id
    }

    func transcript(of name: String) -> Transcript<Heard> {
        state.withLock { state in
            if let transcript = state.transcripts[name] { return transcript }
            let transcript = Transcript<Heard>()
            state.transcripts[name] = transcript
            return transcript
        }
    }

    private func dispatch() async {
        var next = 0
        while let line = try? await process.output.first(
            from: next, within: .seconds(3600), "a line", where: { _ in true })
        {
            next = line.index + 1
            guard let json = try? JSON(parsing: line.element, maximumDepth: 512) else { continue }
            if let name = json["socket"]?.stringValue {
                if let heard = Heard(json: json) { transcript(of: name).append(heard) }
            } else {
                replies.append(json)
            }
        }
        replies.finish()
        for transcript in state.withLock({ Array($0.transcripts.values) }) { transcript.finish() }
    }
}

/// What the Python client could not do.
struct PeerError: Error, CustomStringConvertible {
    var operation: String
    var sentence: String
    var description: String { "\(operation): \(sentence)" }
}

/// Something that a socket received.
struct Heard: Sendable, CustomStringConvertible {
    enum Kind: Sendable, Equatable {
        /// Socket.IO's CONNECT was answered.
        case connected
        /// Socket.IO's CONNECT_ERROR, with its payload.
        case refused(JSON)
        case disconnected(String)
        case event(String, [JSON])
        /// The answer to the event that was sent with this number.
        case acknowledgement(Int, [JSON])
        /// A WebSocket text message.
        case text(String)
        /// A WebSocket close frame.
        case close(code: Int?)
        /// The end of a raw connection.
        case closed
        /// Bytes of a raw connection, as Latin-1.
        case bytes(String)
        /// What the reader of a raw connection stumbled on.
        case error(String)
    }

    /// Monotonic seconds.
    var at: Double
    var kind: Kind

    init?(json: JSON) {
        guard let at = json["at"]?.doubleValue else { return nil }
        self.at = at
        let arguments = json["args"]?.arrayValue ?? []
        let text = json["text"]?.stringValue ?? ""
        switch json["kind"]?.stringValue {
        case "connected": kind = .connected
        case "refused": kind = .refused(arguments.first ?? .null)
        case "disconnected": kind = .disconnected(arguments.first?.stringValue ?? "")
        case "event": kind = .event(json["name"]?.stringValue ?? "", arguments)
        case "ack": kind = .acknowledgement(json["ack"]?.integerValue.map(Int.init(clamping:)) ?? -1, arguments)
        case "text": kind = .text(text)
        case "close": kind = .close(code: json["code"]?.integerValue.map(Int.init(clamping:)))
        case "closed": kind = .closed
        case "bytes": kind = .bytes(text)
        case "error": kind = .error(text)
        default: return nil
        }
    }

    /// The event's name and arguments, where it is one.
    var event: (name: String, arguments: [JSON])? {
        if case .event(let name, let arguments) = kind { (name, arguments) } else { nil }
    }

    /// A WebSocket text message's text, where it is one.
    var text: String? { if case .text(let text) = kind { text } else { nil } }

    /// What an `identity` event tells, where it is one.
    var identity: JSON? { event?.name == "identity" ? event?.arguments.first : nil }

    /// The row of a `thing:save`, where it is one.
    var savedThing: JSON? { event?.name == "thing:save" ? event?.arguments.first : nil }

    var description: String {
        switch kind {
        case .event(let name, let arguments): "\(name) \(JSON.array(arguments))"
        case .acknowledgement(let number, let arguments): "acknowledgement \(number) \(JSON.array(arguments))"
        default: "\(kind)"
        }
    }
}
