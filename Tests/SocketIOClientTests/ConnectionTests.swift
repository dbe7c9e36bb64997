import NIOCore
import Testing
import WebSocketLink
import WireJSON

@testable import SocketIOClient

@Suite("Client connection", .timeLimit(.minutes(1)))
struct ConnectionTests {
    // MARK: Events

    @Test("nothing that comes right behind CONNECT is lost, however late it is read")
    func earlyEvents() async throws {
        let server = try await ScriptedServer.startGreeting { peer, event in
            guard case .opened = event else { return }
            peer.send(#"42["a",1]"#, #"42["b",{"x":[true,null]}]"#)
            peer.send("41")
        }
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(server))
        try await eventually("the end on the other side") { server.observed.closedChannels == 1 }
        #expect(
            await connection.allIncoming() == [
                "a(1)", #"b({"x":[true,null]})"#, "disconnected: The server disconnected this client.",
            ])
    }

    @Test("an acknowledgement has its place between the events, and its waiter gets what the server said")
    func acknowledgementOrder() async throws {
        let server = try await ScriptedServer.startGreeting { peer, event in
            guard case .text(#"420["login","jwt"]"#) = event else { return }
            peer.send(#"42["before"]"#, #"430[{"data":"registered"}]"#, #"42["behind"]"#, "41")
        }
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(server))
        let acknowledgement = try await connection.acknowledgement(of: "login", ["jwt"], timeout: .seconds(10))
        #expect(acknowledgement.arguments == [["data": "registered"]])
        #expect(
            await connection.allIncoming() == [
                "before()", "acknowledgement \(acknowledgement.id)", "behind()",
                "disconnected: The server disconnected this client.",
            ])
    }

    @Test("events leave in the order of the calls, each acknowledgement finds its event")
    func emitOrder() async throws {
        let server = try await ScriptedServer.startGreeting { peer, event in
            guard case .text(let text) = event, text.hasPrefix("42"), let id = text.dropFirst(2).first, id.isNumber
            else { return }
            // Answered in the opposite order of asking.
            if id == "1" { peer.send(#"431["one"]"#, #"430["zero"]"#) }
        }
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(server))
        connection.emit("first", [1])
        async let zero = connection.emitWithAcknowledgement("ask", timeout: .seconds(10))
        try await eventually("the first question") { server.observed.texts.count == 3 }
        connection.emit("second")
        async let one = connection.emitWithAcknowledgement("ask", timeout: .seconds(10))
        #expect(try await one == ["one"])
        #expect(try await zero == ["zero"])
        #expect(
            server.observed.texts
                == ["40", #"42["first",1]"#, #"420["ask"]"#, #"42["second"]"#, #"421["ask"]"#])
        await connection.disconnect()
    }

    @Test("an acknowledgement that doesn't come in time is given up, and the connection goes on")
    func acknowledgementTimeout() async throws {
        let server = try await ScriptedServer.startGreeting { peer, event in
            if case .text(#"421["b"]"#) = event { peer.send("431[]") }
        }
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(server))
        await #expect(throws: SocketIOEmitError.timedOut) {
            try await connection.emitWithAcknowledgement("a", timeout: .milliseconds(50))
        }
        #expect(try await connection.emitWithAcknowledgement("b", timeout: .seconds(10)).isEmpty)
        await connection.disconnect()
    }

    @Test("cancelling the wait for an acknowledgement ends it, also when the task was cancelled before")
    func acknowledgementCancellation() async throws {
        let server = try await ScriptedServer.startGreeting()
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(server))
        let wait = Task {
            _ = await #expect(throws: SocketIOEmitError.cancelled) {
                try await connection.emitWithAcknowledgement("a", timeout: .seconds(60))
            }
        }
        try await eventually("the event") { server.observed.texts.contains(#"420["a"]"#) }
        wait.cancel()
        await wait.value
        let cancelled = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            _ = await #expect(throws: SocketIOEmitError.cancelled) {
                try await connection.emitWithAcknowledgement("b", timeout: .seconds(60))
            }
        }
        await cancelled.value
        await connection.disconnect()
        #expect(!server.observed.texts.contains { $0.contains("b") })
    }

    @Test("all who wait for acknowledgements hear of the connection's end, and so do those who come later")
    func acknowledgementsAtTheEnd() async throws {
        let server = try await ScriptedServer.startGreeting { peer, event in
            if case .text(#"422["a"]"#) = event { peer.send("41") }
        }
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(server))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    _ = await #expect(throws: SocketIOEmitError.disconnected(.serverDisconnect)) {
                        try await connection.emitWithAcknowledgement("a", timeout: .seconds(60))
                    }
                }
            }
        }
        await #expect(throws: SocketIOEmitError.disconnected(.serverDisconnect)) {
            try await connection.emitWithAcknowledgement("late", timeout: .seconds(60))
        }
        connection.emit("dropped")
        await connection.disconnect()
        #expect(await connection.allIncoming() == ["disconnected: The server disconnected this client."])
    }

    @Test("a server's event is acknowledged once, however often that is tried")
    func acknowledging() async throws {
        let server = try await ScriptedServer.startGreeting { peer, event in
            switch event {
            case .opened: peer.send(#"427["ask",1]"#)
            case .text(#"42["done"]"#): peer.send("41")
            default: break
            }
        }
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(server))
        for await element in connection.incoming {
            guard case .event("ask", [1], _, let acknowledge?) = element else { continue }
            acknowledge(["yes"])
            acknowledge(["no"])
            connection.emit("done")
        }
        #expect(server.observed.texts == ["40", #"437["yes"]"#, #"42["done"]"#])
    }

    @Test("attachments go both ways")
    func attachments() async throws {
        let placeholder: JSON = ["_placeholder": true, "num": 0]
        let server = try await ScriptedServer.startGreeting { peer, event in
            guard case .binary(let bytes) = event else { return }
            peer.send(#"451-["file",{"_placeholder":true,"num":0}]"#)
            peer.send(binary: bytes)
            peer.send("41")
        }
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(server))
        connection.emit("upload", [placeholder], attachments: [ByteBuffer(bytes: [1, 2, 255])])
        #expect(
            await connection.allIncoming() == [
                "file(\(placeholder.description)) [1, 2, 255]", "disconnected: The server disconnected this client.",
            ])
        #expect(server.observed.texts == ["40", #"451-["upload",{"_placeholder":true,"num":0}]"#])
    }

    // MARK: The end

    @Test("a disconnect tells the server, closes the WebSocket, and returns when the channel is gone")
    func disconnect() async throws {
        let server = try await ScriptedServer.startGreeting()
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(server))
        connection.emit("last")
        await connection.disconnect()
        await connection.disconnect()
        #expect(server.observed.texts == ["40", #"42["last"]"#, "41"])
        #expect(server.observed.closes == [.remote(code: .normalClosure, reason: "")])
        #expect(await connection.allIncoming() == ["disconnected: This client disconnected."])
    }

    @Test("a connection that nobody holds disconnects; one whose elements are being read does not")
    func letGo() async throws {
        let server = try await ScriptedServer.startGreeting { peer, event in
            if case .text(#"42["go"]"#) = event { peer.send(#"42["a"]"#) }
        }
        do {
            var iterator: SocketIOIncomingSequence.AsyncIterator
            do {
                let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(server))
                iterator = connection.incoming.makeAsyncIterator()
                connection.emit("go")
            }
            #expect(await iterator.next()?.description == "a()")
            #expect(!server.observed.texts.contains("41"))
        }
        try await eventually("DISCONNECT") { server.observed.texts.contains("41") }
        try await eventually("the channel's end") { server.observed.closedChannels == 1 }
    }

    @Test("the transport's end is told with what was said")
    func transportEnd() async throws {
        let closing = try await ScriptedServer.startGreeting { peer, event in
            if case .opened = event { peer.connection?.close(code: .serviceRestart, reason: "back soon") }
        }
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(closing))
        #expect(
            await connection.allIncoming()
                == ["disconnected: The server closed the WebSocket with code 1012: back soon."])

        let aborting = try await ScriptedServer.startGreeting { peer, event in
            if case .opened = event { peer.connection?.abort() }
        }
        let other = try await SocketIOConnection.connect(SocketIOClientConfiguration(aborting))
        #expect(
            await other.allIncoming()
                == ["disconnected: The connection ended without a closing handshake."])
    }

    @Test("a message above the limit ends the connection, and the server is told 1009")
    func messageTooBig() async throws {
        let server = try await ScriptedServer.startGreeting { peer, event in
            if case .opened = event { peer.send(#"42["\#(String(repeating: "x", count: 2_000))"]"#) }
        }
        let configuration = SocketIOClientConfiguration(server).with { $0.maximumMessageSize = 1_000 }
        let connection = try await SocketIOConnection.connect(configuration)
        let incoming = await connection.allIncoming()
        #expect(incoming.count == 1)
        #expect(incoming.first?.contains("longer than accepted") == true)
        try await eventually("Close") { server.observed.closes.count == 1 }
        guard case .remote(.messageTooBig?, _)? = server.observed.closes.first else {
            Issue.record("\(server.observed.closes)")
            return
        }
    }

    @Test("a server that stops pinging is given up")
    func pingTimeout() async throws {
        let server = try await ScriptedServer.startGreeting(
            handshake: #"0{"sid":"engine","upgrades":[],"pingInterval":1500,"pingTimeout":1500}"#)
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(server))
        #expect(await connection.allIncoming() == ["disconnected: The server fell silent."])
    }

    // MARK: Back pressure

    @Test("a reader that stands still stops the reading, and loses nothing when it goes on")
    func backPressure() async throws {
        let count = 20_000
        let padding = String(repeating: "x", count: 2_000)
        let server = try await ScriptedServer.startGreeting { peer, event in
            guard case .opened = event else { return }
            for number in 0..<count {
                peer.connection?.send(.text(ByteBuffer(string: #"42["n",\#(number),"\#(padding)"]"#)))
            }
            peer.connection?.flush()
        }
        let configuration = SocketIOClientConfiguration(server).with { $0.maximumUnreadElements = 64 }
        let connection = try await SocketIOConnection.connect(configuration)
        try await eventually("the pause") { try await connection.isPaused() }
        var iterator = connection.incoming.makeAsyncIterator()
        for number in 0..<count {
            guard case .event("n", let arguments, _, _)? = await iterator.next(),
                arguments.first == .integer(Int64(number))
            else {
                Issue.record("element \(number) is missing")
                break
            }
        }
        try await eventually("the end of the pause") { try await !connection.isPaused() }
        await connection.disconnect()
        #expect(await iterator.next()?.description == "disconnected: This client disconnected.")
        #expect(await iterator.next() == nil)
    }

    @Test("during a rest nothing is read; what came meanwhile comes together at its end")
    func rest() async throws {
        let server = try await ScriptedServer.startGreeting { peer, event in
            if case .text(#"42["go"]"#) = event { for number in 0..<20 { peer.send(#"42["n",\#(number)]"#) } }
        }
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(server))
        var iterator = connection.incoming.makeAsyncIterator()
        connection.rest(for: .milliseconds(700))
        try await eventually("the rest") { try await connection.isPaused() }
        #expect(try await !connection.isReading())
        connection.emit("go")
        var batches: [Int] = []
        while batches.reduce(0, +) < 20, let batch = await iterator.nextBatch() { batches.append(batch.count) }
        #expect(batches == [20])
        #expect(try await connection.isReading())
        await connection.disconnect()
    }

    @Test("a question ends a rest, and while its answer is awaited there is none; so does the end of the connection")
    func restGivesWay() async throws {
        let server = try await ScriptedServer.startGreeting { peer, event in
            switch event {
            case .text(#"420["a"]"#): peer.send("430[1]")
            case .text(#"42["answer"]"#): peer.send("431[2]")
            default: break
            }
        }
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(server))
        connection.rest(for: .seconds(3600))
        try await eventually("the rest") { try await connection.isPaused() }
        #expect(try await connection.emitWithAcknowledgement("a", timeout: .seconds(60)) == [1])
        #expect(try await !connection.isPaused())
        async let second = connection.emitWithAcknowledgement("b", timeout: .seconds(60))
        try await eventually("the question") { server.observed.texts.contains(#"421["b"]"#) }
        connection.rest(for: .seconds(3600))
        connection.emit("answer")
        #expect(try await second == [2])
        connection.rest(for: .seconds(3600))
        await connection.disconnect()
        #expect(await connection.allIncoming().last == "disconnected: This client disconnected.")
    }

    @Test("a consumer that goes away doesn't stop the acknowledgements")
    func consumerGone() async throws {
        let server = try await ScriptedServer.startGreeting { peer, event in
            switch event {
            case .opened:
                for _ in 0..<100 { peer.send(#"42["n"]"#) }
            case .text(#"420["a"]"#):
                for _ in 0..<100 { peer.send(#"42["n"]"#) }
                peer.send("430[1]")
            default: break
            }
        }
        let configuration = SocketIOClientConfiguration(server).with { $0.maximumUnreadElements = 10 }
        let connection = try await SocketIOConnection.connect(configuration)
        for await _ in connection.incoming { break }
        #expect(try await connection.emitWithAcknowledgement("a", timeout: .seconds(20)) == [1])
        await connection.disconnect()
    }
}
