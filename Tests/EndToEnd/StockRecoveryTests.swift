import Foundation
import Testing
import WireJSON

extension EndToEnd {
    /// Socket.IO's connection state recovery as its published JavaScript client does it, in what goes over the wire:
    ///
    /// - It keeps the `pid` of the answer to its CONNECT.
    /// - From then on it keeps the last argument of every event whose last argument is a text: the offset.
    /// - Its next CONNECT begins with `pid` and, once there is one, `offset`; what the application has in `auth` follows.
    /// - It takes the same `pid` in the answer for the news that it has been told, or is about to be told, all it missed.
    @Suite("The published client's recovery, on the wire")
    struct StockRecoveryTests {
        /// What that client keeps, and how it speaks.
        private struct StockClient {
            let peer: RawPeer
            var pid: String
            var isRecovered: Bool
            var sid: String

            /// - Parameter memory: `pid` and `offset` of the connection before.
            init(_ stage: Stage, token: String, memory: (pid: String, offset: String)? = nil) async throws {
                peer = try await stage.peers.webSocket(stage.server)
                try await peer.text(startingWith: "0{")
                let before = memory.map { #""pid":"\#($0.pid)","offset":"\#($0.offset)","# } ?? ""
                peer.send("40{\(before)\"token\":\"\(token)\"}")
                let answer = try JSON(parsing: Array(try await peer.text(startingWith: "40").text.dropFirst(2).utf8))
                sid = try #require(answer["sid"]?.stringValue)
                pid = try #require(answer["pid"]?.stringValue, "A pid is always granted.")
                isRecovered = pid == memory?.pid
            }

            /// Name and arguments of the events so far.
            var events: [[JSON]] {
                peer.heard.compactMap { heard in
                    guard case .text(let text) = heard.kind, text.hasPrefix("42") else { return nil }
                    return (try? JSON(parsing: Array(text.dropFirst(2).utf8)))?.arrayValue
                }
            }

            var offset: String? { events.compactMap { $0.last?.stringValue }.last }

            /// The names of the things of which it was told.
            var things: [String] {
                events.compactMap { $0[0] == "thing:save" ? $0[1]["name"]?.stringValue : nil }
            }

            func thing(_ name: String) async throws {
                var next = 0
                while !things.contains(name) {
                    next = try await peer.text(startingWith: "42", from: next).index + 1
                }
            }

            /// As a network fails: no Close frame, no DISCONNECT.
            func fail() { peer.close() }
        }

        @Test("the same pid and all that was missed, in order, then what is new; nothing twice")
        func recovers() async throws {
            try await Stage.with { stage in
                let token = try await stage.token(.user)
                let first = try await StockClient(stage, token: token)
                #expect(!first.isRecovered)
                try await stage.write("seen")
                try await first.thing("seen")
                let offset = try #require(first.offset)
                first.fail()
                try await stage.write("missed 1")
                try await stage.write("secret", adminOnly: true)
                try await stage.write("missed 2")

                let second = try await StockClient(stage, token: token, memory: (first.pid, offset))
                #expect(second.isRecovered && second.sid != first.sid)
                try await second.thing("missed 2")
                try await stage.write("new")
                try await second.thing("new")
                #expect(second.things == ["missed 1", "missed 2", "new"])
                #expect(second.events.first?[0] == "identity", "Who it is comes before what it missed.")
            }
        }

        @Test("recovery outlives the server's death; another user is not recovered, and told nothing")
        func acrossDeath() async throws {
            try await Stage.with { stage in
                let token = try await stage.token(.user)
                let first = try await StockClient(stage, token: token)
                try await stage.write("seen")
                try await first.thing("seen")
                let memory = (pid: first.pid, offset: try #require(first.offset))
                try await stage.server.process.end(SIGKILL)
                try await stage.write("while it was dead")
                try await stage.server.restart()

                let second = try await StockClient(stage, token: token, memory: memory)
                #expect(second.isRecovered)
                try await second.thing("while it was dead")
                #expect(second.things == ["while it was dead"])

                let other = try await StockClient(stage, token: try await stage.token(.admin), memory: memory)
                #expect(!other.isRecovered)
                try await stage.write("new")
                try await other.thing("new")
                #expect(other.things == ["new"])
            }
        }

        @Test("no event ends with a text but with its position")
        func offsets() async throws {
            try await Stage.with { stage in
                let client = try await StockClient(stage, token: try await stage.token(.admin))
                try await stage.write("one")
                client.peer.send(#"420["message",{"body":"hello"}]"#)
                try await client.peer.text(startingWith: "430")
                try await stage.server.user("set-role", "test@example.com", "admin")
                client.peer.send(#"421["logout"]"#)
                try await client.peer.text(startingWith: "431")
                let texts = client.events.compactMap { $0.last?.stringValue }
                #expect(texts.count >= 4)
                for text in texts { #expect(text.wholeMatch(of: /[0-9a-f]{12}-[0-9a-f]{16}/) != nil, "\(text)") }
                #expect(texts == texts.sorted())
            }
        }
    }
}
