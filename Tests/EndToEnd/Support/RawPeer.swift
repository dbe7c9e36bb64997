import Foundation
import WireJSON

/// A WebSocket or a TCP connection that sends whatever it is told to, valid or not.
struct RawPeer: Sendable {
    let host: PeerHost
    let name: String
    let transcript: Transcript<Heard>

    var heard: [Heard] { transcript.elements }

    func send(_ text: String, opcode: Int = 1, fin: Bool = true, masked: Bool = true, reserved: Bool = false) {
        host.tell("send", frame(["text": .string(text)], opcode: opcode, fin: fin, masked: masked, reserved: reserved))
    }

    func send(bytes: [UInt8], opcode: Int = 1) {
        host.tell(
            "send",
            frame(
                ["base64": .string(Data(bytes).base64EncodedString())], opcode: opcode, fin: true, masked: true,
                reserved: false))
    }

    /// The first WebSocket text at or after `start` with that beginning.
    @discardableResult
    func text(
        startingWith prefix: String, from start: Int = 0, within deadline: Duration = .seconds(40)
    ) async throws -> (index: Int, at: Double, text: String) {
        let found = try await transcript.first(from: start, within: deadline, "\"\(prefix)...\" to \(name)") {
            if case .text(let text) = $0.kind { text.hasPrefix(prefix) } else { false }
        }
        guard case .text(let text) = found.element.kind else { return (found.index, found.element.at, "") }
        return (found.index, found.element.at, text)
    }

    /// Waits until the server has ended the connection; the code of its close frame where there was one.
    @discardableResult
    func closed(within deadline: Duration = .seconds(40)) async throws -> (at: Double, code: Int?) {
        let end = try await transcript.first(within: deadline, "the end of \(name)") { $0.kind == .closed }
        let codes = heard.compactMap { if case .close(let code) = $0.kind { code } else { nil } }
        return (end.element.at, codes.first)
    }

    /// Sends bytes, given as Latin-1, on a TCP connection.
    func sendBytes(_ text: String) { host.tell("send", ["socket": .string(name), "text": .string(text)]) }

    /// All bytes received so far.
    var received: String {
        heard.map { if case .bytes(let text) = $0.kind { text } else { "" } }.joined()
    }

    /// Waits until the bytes received contain `text`.
    func receive(_ text: String, within deadline: Duration = .seconds(40)) async throws {
        var next = 0
        while !received.contains(text) {
            next =
                try await transcript.first(from: next, within: deadline, "the bytes \"\(text)\" to \(name)") { _ in
                    true
                }.index + 1
        }
    }

    func close() { host.tell("close", ["socket": .string(name)]) }

    private func frame(_ members: JSONObject, opcode: Int, fin: Bool, masked: Bool, reserved: Bool) -> JSONObject {
        var members = members
        members["socket"] = .string(name)
        members["opcode"] = .integer(Int64(opcode))
        members["fin"] = fin ? 1 : 0
        members["mask"] = masked ? 1 : 0
        members["rsv1"] = reserved ? 1 : 0
        return members
    }
}

extension PeerHost {
    /// A WebSocket on the Engine.IO path; it is open when this returns, and nothing was sent.
    func webSocket(
        _ server: ServerProcess, query: String = "EIO=4&transport=websocket", headers: JSONObject = [:],
        origin: String? = nil
    ) async throws -> RawPeer {
        let name = name("websocket")
        let peer = RawPeer(host: self, name: name, transcript: transcript(of: name))
        var command: JSONObject = [
            "socket": .string(name), "url": .string("ws://127.0.0.1:\(server.port)/socket.io/?\(query)"),
            "headers": .object(headers),
        ]
        if let origin { command["origin"] = .string(origin) }
        try await self.command("websocket", command)
        return peer
    }

    func tcp(_ server: ServerProcess) async throws -> RawPeer {
        let name = name("connection")
        let peer = RawPeer(host: self, name: name, transcript: transcript(of: name))
        try await command(
            "tcp", ["socket": .string(name), "host": "127.0.0.1", "port": .integer(Int64(server.port))])
        return peer
    }
}
