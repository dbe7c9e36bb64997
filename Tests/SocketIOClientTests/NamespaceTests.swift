import EngineIO
import NIOCore
import NIOEmbedded
import Testing
import WireJSON

@testable import SocketIOClient

extension SessionHarness {
    /// Joins another namespace; what comes of it is in the box.
    fileprivate func join(_ name: String, limit: Int = 10) -> Joining {
        let joining = Joining(SocketIOIncomingQueue(limit: limit, eventLoop: channel.eventLoop))
        joining.session = session.join(name, auth: nil, queue: joining.queue) { joining.outcomes.append($0) }
        return joining
    }
}

/// A namespace that a test has joined, or tries to.
private final class Joining {
    let queue: SocketIOIncomingQueue
    var session: NamespaceSession!
    var outcomes: [Result<NamespaceAdmission, SocketIOConnectError>] = []

    init(_ queue: SocketIOIncomingQueue) {
        self.queue = queue
    }

    var sid: String? { try? outcomes.first?.get().sid }

    var error: SocketIOConnectError? {
        guard case .failure(let error)? = outcomes.first else { return nil }
        return error
    }

    func incoming() async -> [String] {
        var all: [String] = []
        for await element in SocketIOIncomingSequence(
            base: SocketIOIncomingElements(queue), namespace: nil)
        {
            all.append(element.description)
        }
        return all
    }
}

@Suite("Client namespaces", .timeLimit(.minutes(1)))
struct NamespaceTests {
    // What was received is read at the end of a test only: behind an `await` the test may be on another thread, where
    // the embedded channel must not be touched.

    private func arguments(_ promise: EventLoopPromise<SocketIOAcknowledgement>) throws -> [JSON] {
        try promise.futureResult.wait().arguments
    }

    @Test("each namespace has its own events and acknowledgements, also where their ids are the same")
    func separation() async throws {
        let harness = try SessionHarness()
        try harness.join()
        let chat = harness.join("/chat")
        #expect(try harness.sent() == ["40/chat,"])
        try harness.receive(#"40/chat,{"sid":"c"}"#)
        #expect(chat.sid == "c")

        let promises = (0..<2).map { _ in harness.channel.eventLoop.makePromise(of: SocketIOAcknowledgement.self) }
        let first = harness.namespace.emit("a", [], [], timeout: .seconds(9), promise: promises[0])
        let second = chat.session.emit("b", [], [], timeout: .seconds(9), promise: promises[1])
        #expect(first == 0 && second == 0)
        #expect(try harness.sent() == [#"420["a"]"#, #"42/chat,0["b"]"#])
        try harness.receive(#"43/chat,0["chat's"]"#, #"430["main's"]"#, #"42/chat,["x"]"#, #"42["y"]"#)
        #expect(try arguments(promises[0]) == ["main's"])
        #expect(try arguments(promises[1]) == ["chat's"])
        harness.session.disconnect()
        #expect(Set(try harness.sent()) == ["41", "41/chat,", "close"])
        #expect(await harness.incoming() == ["acknowledgement 0", "y()", "disconnected: This client disconnected."])
        #expect(await chat.incoming() == ["acknowledgement 0", "x()", "disconnected: This client disconnected."])
    }

    @Test("a namespace that is joined before the session is open is asked for when it is")
    func early() throws {
        let harness = try SessionHarness()
        let chat = harness.join("/chat")
        #expect(try harness.sent().isEmpty)
        try harness.receive(ScriptedServer.handshake)
        #expect(Set(try harness.sent()) == ["40", "40/chat,"])
        try harness.receive(#"40/chat,{"sid":"c"}"#)
        #expect(chat.sid == "c")
    }

    @Test("the server's disconnect and the user's leave end one namespace, the last of them the connection")
    func endings() async throws {
        let harness = try SessionHarness()
        try harness.join()
        let (chat, other) = (harness.join("/chat"), harness.join("/other"))
        try harness.receive(#"40/chat,{"sid":"c"}"#, #"40/other,{"sid":"o"}"#)
        _ = try harness.sent()

        try harness.receive("41")
        chat.session.leave()
        chat.session.leave()
        #expect(try harness.sent() == ["41/chat,"])
        try harness.receive(#"42["late"]"#, #"42/chat,["late"]"#, #"42/other,["on time"]"#)
        other.session.leave()
        #expect(try harness.sent() == ["41/other,", "close"])
        #expect(
            harness.join("/late").error == .unreachable("The connection has ended. This client disconnected."))

        #expect(await harness.incoming() == ["disconnected: The server disconnected this client."])
        #expect(await chat.incoming() == ["disconnected: This client disconnected."])
        #expect(await other.incoming() == ["on time()", "disconnected: This client disconnected."])
    }

    @Test("a refused namespace harms no other, and can be tried again")
    func refusal() throws {
        let harness = try SessionHarness()
        try harness.join()
        let first = harness.join("/chat")
        try harness.receive(#"44/chat,{"message":"no","data":[1]}"#)
        #expect(first.error == .rejected(message: "no", data: [1]))
        let second = harness.join("/chat")
        try harness.receive(#"40/chat,{"sid":"c"}"#)
        #expect(second.sid == "c")
        #expect(try harness.sent() == ["40/chat,", "40/chat,"])
    }

    @Test("a namespace can be joined once at a time")
    func twice() throws {
        let harness = try SessionHarness()
        try harness.join()
        for name in ["/", "/chat", "/chat"] {
            let joining = harness.join(name)
            if let error = joining.error {
                guard case .invalidConfiguration = error else {
                    Issue.record("\(name): \(error)")
                    continue
                }
            } else {
                #expect(name == "/chat")
            }
        }
        #expect(try harness.sent() == ["40/chat,"])
    }

    @Test("joining that is given up leaves nothing behind on the server, whatever that answers at last")
    func givingUp() throws {
        let harness = try SessionHarness()
        try harness.join()
        let slow = harness.join("/slow")
        slow.session.giveUpJoining(in: .seconds(5))
        harness.advance(.seconds(6))
        #expect(slow.error == .timedOut(.namespace))
        guard case .invalidConfiguration? = harness.join("/slow").error else {
            Issue.record("joined while the answer to the first CONNECT is still to come")
            return
        }
        try harness.receive(#"42/slow,["a"]"#, #"40/slow,{"sid":"s"}"#, #"42/slow,["b"]"#)
        #expect(try harness.sent() == ["40/slow,", "41/slow,"])
        let again = harness.join("/slow")
        // What the server sent before it knew of the second CONNECT is no violation.
        try harness.receive(#"42/slow,["c"]"#, #"40/slow,{"sid":"t"}"#)
        #expect(again.sid == "t")

        let refused = harness.join("/refused")
        refused.session.giveUpJoining(.cancelled)
        #expect(refused.error == .cancelled)
        try harness.receive(#"44/refused,{"message":"no"}"#)
        #expect(harness.join("/refused").error == nil)
    }

    @Test("one reader that is behind holds up the connection until it has left")
    func leavingBehind() async throws {
        let harness = try SessionHarness()
        try harness.join()
        let chat = harness.join("/chat", limit: 2)
        try harness.receive(#"40/chat,{"sid":"c"}"#)
        try harness.receive(#"42/chat,["a"]"#, #"42/chat,["b"]"#, #"42["main"]"#)
        #expect(harness.session.isPaused)
        chat.session.leave()
        #expect(!harness.session.isPaused)
        harness.session.disconnect()
        #expect(await harness.incoming() == ["main()", "disconnected: This client disconnected."])
        #expect(await chat.incoming() == ["a()", "b()", "disconnected: This client disconnected."])
    }

    @Test("one reader that is behind holds up the connection until it has read")
    func readingBehind() async throws {
        let server = try await ScriptedServer.startGreeting { peer, event in
            guard case .text("40/chat,") = event else { return }
            peer.send(#"40/chat,{"sid":"c"}"#)
            for number in 0..<100 { peer.send(#"42/chat,["n",\#(number)]"#) }
            peer.send(#"42["main"]"#)
        }
        let configuration = SocketIOClientConfiguration(server).with { $0.maximumUnreadElements = 8 }
        let connection = try await SocketIOConnection.connect(configuration)
        let chat = try await connection.namespace("/chat")
        try await eventually("the pause") { try await connection.isPaused() }
        var iterator = chat.incoming.makeAsyncIterator()
        for number in 0..<100 {
            #expect(await iterator.next()?.description == "n(\(number))")
        }
        var main = connection.incoming.makeAsyncIterator()
        #expect(await main.next()?.description == "main()")
        await connection.disconnect()
    }

    @Test("the end of the transport is the end of every namespace")
    func transportEnd() async throws {
        let harness = try SessionHarness()
        try harness.join()
        let (chat, joining) = (harness.join("/chat"), harness.join("/joining"))
        try harness.receive(#"40/chat,{"sid":"c"}"#, "1")
        let end = "disconnected: The server closed the Engine.IO session."
        #expect(await harness.incoming() == [end])
        #expect(await chat.incoming() == [end])
        guard case .unreachable? = joining.error else {
            Issue.record("\(joining.outcomes)")
            return
        }
    }

    @Test("attachments belong to the packet before them, whatever its namespace, and are counted before they come")
    func attachments() async throws {
        let configuration = SocketIOClientConfiguration(host: "h", port: 1).with { $0.maximumAttachments = 2 }
        let harness = try SessionHarness(configuration)
        try harness.join()
        let chat = harness.join("/chat")
        try harness.receive(#"40/chat,{"sid":"c"}"#)
        try harness.receive(#"452-/chat,["f",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#)
        try harness.receive(binary: [1])
        try harness.receive(binary: [2, 3])
        // Nobody has joined this one: the packet is dropped, its attachment with it.
        try harness.receive(#"451-/nobody,["f",{"_placeholder":true,"num":0}]"#)
        try harness.receive(binary: [4])
        try harness.receive(
            #"453-["f",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}]"#)
        let incoming = await chat.incoming()
        #expect(incoming.first?.hasSuffix("[1] [2, 3]") == true)
        #expect(incoming.count == 2)
        #expect(incoming.last?.contains("more than 2 attachments") == true)
    }

    @Test("a volatile event is dropped while the network is behind")
    func volatile() throws {
        let harness = try SessionHarness()
        try harness.join()
        harness.namespace.emit("a", [], [], isVolatile: true)
        harness.channel.isWritable = false
        harness.namespace.emit("dropped", [], [], isVolatile: true)
        harness.namespace.emit("b", [], [])
        harness.channel.isWritable = true
        harness.namespace.emit("c", [], [], isVolatile: true)
        #expect(try harness.sent() == [#"42["a"]"#, #"42["b"]"#, #"42["c"]"#])
    }

    @Test("a namespace's name that could break a packet is refused before anything is sent")
    func names() async throws {
        let server = try await ScriptedServer.startGreeting()
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(server))
        for name in ["", "chat", "/a,b", "/a\u{1E}41", "/a\n"] {
            let error = await #expect(throws: SocketIOConnectError.self) { try await connection.namespace(name) }
            guard case .invalidConfiguration? = error else {
                Issue.record("\(name): \(String(describing: error))")
                continue
            }
        }
        await connection.disconnect()
        #expect(server.observed.texts == ["40", "41"])
    }

    @Test("joining is cancelled with its task, and a namespace that nobody holds is left")
    func letGo() async throws {
        let server = try await ScriptedServer.startGreeting { peer, event in
            if case .text("40/chat,") = event { peer.send(#"40/chat,{"sid":"c"}"#) }
        }
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(server))
        do {
            let chat = try await connection.namespace("/chat")
            #expect(chat.sid == "c")
            #expect(chat.name == "/chat")
        }
        try await eventually("DISCONNECT") { server.observed.texts.contains("41/chat,") }
        let attempt = Task {
            await #expect(throws: SocketIOConnectError.cancelled) { try await connection.namespace("/silent") }
        }
        try await eventually("CONNECT") { server.observed.texts.contains("40/silent,") }
        attempt.cancel()
        _ = await attempt.value
        await #expect(throws: SocketIOConnectError.timedOut(.namespace)) {
            try await connection.namespace("/silent too", timeout: .milliseconds(50))
        }
        connection.emit("a")
        try await eventually("the event") { server.observed.texts.contains(#"42["a"]"#) }
        await connection.disconnect()
        let ended = SocketIOConnectError.unreachable("The connection has ended. This client disconnected.")
        await #expect(throws: ended) { try await connection.namespace("/late") }
    }

    @Test("a namespace outlives the connection that it was joined on, as long as somebody holds it")
    func outliving() async throws {
        let server = try await ScriptedServer.startGreeting { peer, event in
            if case .text("40/chat,") = event { peer.send(#"40/chat,{"sid":"c"}"#) }
        }
        do {
            let chat: SocketIONamespace
            do {
                let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(server))
                chat = try await connection.namespace("/chat")
            }
            try await eventually("DISCONNECT") { server.observed.texts.contains("41") }
            chat.emit("a")
            try await eventually("the event") { server.observed.texts.contains(#"42/chat,["a"]"#) }
            #expect(server.observed.closedChannels == 0)
        }
        try await eventually("the channel's end") { server.observed.closedChannels == 1 }
    }
}
