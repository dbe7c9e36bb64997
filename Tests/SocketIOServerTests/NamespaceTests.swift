import EngineIO
import NIOCore
import NIOEmbedded
import Testing
import WireJSON

@testable import SocketIOServer

@Suite("A namespace made of closures")
struct NamespaceTests {
    private struct Mishap: Error {}

    // MARK: Connecting

    @Test("middleware runs in its order before the socket is connected, then what is to be done with it")
    func connecting() throws {
        let journal = Journal()
        var namespace = SocketNamespace()
        namespace.use { socket, auth in
            journal.note("first \(auth?["key"] ?? nil) \(await socket.onLoop { $0.isConnected })")
            socket.emit("lost")
        }
        namespace.use { _, _ in journal.note("second") }
        namespace.onConnect { socket in
            journal.note("connected \(await socket.onLoop { $0.isConnected })")
            socket.emit("hello", [1])
        }
        namespace.onConnect { _ in journal.note("connected, too") }
        namespace.on("event") { _, _ in
            journal.note("event")
            return []
        }
        let line = try Desk(namespace).upgradedLine()
        try line.say(#"40{"key":"k"}"#, #"420["event"]"#)
        #expect(try line.heard().map(kind) == ["connected", #"42["hello",1]"#, "430[]"])
        #expect(journal.lines == [#"first "k" false"#, "second", "connected true", "connected, too", "event"])
    }

    @Test("middleware refuses a socket with what it throws, and nothing behind it is asked")
    func refusing() throws {
        let journal = Journal()
        var namespace = SocketNamespace()
        namespace.use { _, auth in
            switch auth?["with"]?.stringValue {
            case "refusal": throw ConnectRefusal(message: "not authorized", data: ["code": 7])
            case "error": throw Mishap()
            default: break
            }
        }
        namespace.use { _, _ in journal.note("let in") }
        namespace.onConnect { _ in journal.note("connected") }
        namespace.onDisconnect { _, reason in journal.note("\(reason)") }
        let line = try Desk(namespace).upgradedLine()
        try line.say(#"40{"with":"refusal"}"#)
        #expect(try line.heard() == [#"44{"message":"not authorized","data":{"code":7}}"#])
        try line.say(#"40{"with":"error"}"#)
        #expect(try line.heard() == [#"44{"message":"The connection could not be set up."}"#])
        #expect(journal.lines.isEmpty)
        try line.say("40")
        #expect(try line.heard().map(kind) == ["connected"])
        #expect(journal.lines == ["let in", "connected"])
    }

    @Test("a socket whose set-up throws after it was connected is disconnected")
    func throwingOnConnect() throws {
        let journal = Journal()
        var namespace = SocketNamespace()
        namespace.onConnect { _ in throw Mishap() }
        namespace.onConnect { _ in journal.note("connected") }
        namespace.onDisconnect { _, reason in journal.note("\(reason)") }
        let line = try Desk(namespace).upgradedLine()
        try line.say("40")
        #expect(try line.heard().map(kind) == ["connected", "41"])
        #expect(journal.lines == ["server namespace disconnect"])
        #expect(line.isOpen)
    }

    @Test("a handshake is judged before it is answered")
    func handshakes() throws {
        var namespace = SocketNamespace()
        namespace.allowRequest { request in
            if request.target.contains("teapot") { throw EngineError.badRequest.saying("A teapot.") }
            if request.target.contains("stranger") { throw Mishap() }
        }
        for (target, status) in [("&teapot", "400"), ("&stranger", "403"), ("", "101")] {
            let line = try Desk(namespace).line()
            try line.receive(webSocketRequest(target: "/socket.io/?EIO=4&transport=websocket" + target))
            #expect(try line.sentText().hasPrefix("HTTP/1.1 \(status) "))
        }
    }

    @Test("who is told of an end still sees the rooms that the socket was in, and nobody else sees it there")
    func disconnecting() throws {
        let journal = Journal()
        var namespace = SocketNamespace()
        namespace.onConnect { socket in
            socket.join("a")
            socket.join("b")
        }
        namespace.onDisconnect { socket, reason in
            let rooms = socket.rooms.map(\.name).sorted()
            journal.note("\(rooms) \(socket.hub.sockets(in: "a").count) \(socket.isConnected) \(reason)")
        }
        namespace.onDisconnect { _, _ in journal.note("told, too") }
        let line = try Desk(namespace).connectedLine()
        try line.say("41")
        #expect(journal.lines == [#"["a", "b"] 0 false client namespace disconnect"#, "told, too"])
    }

    // MARK: Events

    @Test("events go to the handler of their name, whose result is the acknowledgement")
    func events() throws {
        let journal = Journal()
        var namespace = SocketNamespace()
        namespace.on("echo") { event, _ in .init(event.arguments, attachments: event.attachments) }
        namespace.on("ping") { _, _ in ["pong"] }
        namespace.on("silent") { event, socket in
            journal.note("\(event.wantsAcknowledgement)")
            socket.emit("said")
            return []
        }
        let line = try Desk(namespace).connectedLine()
        try line.say(#"420["echo",1,"a"]"#, #"421["ping"]"#, #"422["silent"]"#, #"42["silent"]"#)
        #expect(
            try line.heard() == [
                #"430[1,"a"]"#, #"431["pong"]"#, #"42["said"]"#, "432[]", #"42["said"]"#,
            ])
        #expect(journal.lines == ["true", "false"])
        try line.receive(clientText(#"451-3["echo",{"_placeholder":true,"num":0}]"#) + clientBinary([1]))
        #expect(try line.heard() == [#"461-3[{"_placeholder":true,"num":0}]"#, "<binary [1]>"])
    }

    @Test("an event that has no handler is answered as unknown, or goes to who takes the rest")
    func unknown() throws {
        var namespace = SocketNamespace()
        let line = try Desk(namespace).connectedLine()
        try line.say(#"420["nothing"]"#, #"42["nothing"]"#)
        #expect(
            try line.heard()
                == [#"430[{"error":"unknown_event","message":"This server knows no event \"nothing\"."}]"#])
        namespace.onUnknown { event, _ in [.string(event.name), "?"] }
        namespace.on("known") { _, _ in [1] }
        let other = try Desk(namespace).connectedLine()
        try other.say(#"420["anything"]"#, #"421["known"]"#)
        #expect(try other.heard() == [#"430["anything","?"]"#, "431[1]"])
    }

    @Test("event middleware may pass on, change, answer and refuse, in its order")
    func eventMiddleware() throws {
        let journal = Journal()
        var namespace = SocketNamespace()
        namespace.useEvent { event, socket, next in
            journal.note("in \(event.name)")
            var answer = try await next(event)
            answer.arguments.append("seen")
            journal.note("out \(event.name)")
            return answer
        }
        namespace.useEvent { event, _, next in
            switch event.name {
            case "answered": return ["by middleware"]
            case "refused": throw EventRefusal([["error": "forbidden"]])
            case "renamed":
                var other = event
                other.name = "kept"
                other.arguments = [2]
                return try await next(other)
            default: return try await next(event)
            }
        }
        for name in ["answered", "refused", "renamed", "kept"] {
            namespace.on(name) { event, _ in
                journal.note("\(name) \(event.arguments)")
                return ["handled"]
            }
        }
        let line = try Desk(namespace).connectedLine()
        try line.say(#"420["kept",1]"#)
        #expect(try line.heard() == [#"430["handled","seen"]"#])
        #expect(journal.lines == ["in kept", "kept [1]", "out kept"])
        try line.say(#"421["renamed"]"#, #"422["answered"]"#, #"423["refused"]"#, #"42["refused"]"#)
        #expect(
            try line.heard()
                == [#"431["handled","seen"]"#, #"432["by middleware","seen"]"#, #"433[{"error":"forbidden"}]"#])
        #expect(
            journal.lines.dropFirst(3)
                == ["in renamed", "kept [2]", "out renamed", "in answered", "out answered", "in refused", "in refused"])
    }

    @Test("what a handler throws is not told to the client, but to who asked to hear of it")
    func errors() throws {
        var namespace = SocketNamespace()
        namespace.on("fails") { _, _ in throw Mishap() }
        namespace.on("refuses") { _, _ in throw EventRefusal(["no", 1]) }
        let line = try Desk(namespace).connectedLine()
        try line.say(#"420["fails"]"#, #"421["refuses"]"#)
        #expect(
            try line.heard() == [
                #"430[{"error":"internal_error","message":"The server could not handle the event."}]"#,
                #"431["no",1]"#,
            ])
        namespace.onError { error, event, _ in [.string("\(event.name) \(error is Mishap)")] }
        let other = try Desk(namespace).connectedLine()
        try other.say(#"420["fails"]"#, #"421["refuses"]"#)
        #expect(try other.heard() == [#"430["fails true"]"#, #"431["no",1]"#])
    }

    @Test("a server keeps the namespace that it was given, whatever becomes of the variable")
    func value() throws {
        var namespace = SocketNamespace()
        let line = try Desk(namespace).connectedLine()
        namespace.on("later") { _, _ in ["heard"] }
        try line.say(#"420["later"]"#)
        #expect(try line.heard().first?.contains("unknown_event") == true)
    }

    @Test("a name can't have two handlers, nor one that no client can call")
    func preconditions() async {
        await #expect(processExitsWith: .failure) {
            var namespace = SocketNamespace()
            namespace.on("a") { _, _ in [] }
            namespace.on("a") { _, _ in [] }
        }
        await #expect(processExitsWith: .failure) {
            var namespace = SocketNamespace()
            namespace.on("disconnect") { _, _ in [] }
        }
    }

    @Test("sockets of several namespaces, on one connection, each have their own handlers")
    func severalNamespaces() throws {
        var main = SocketNamespace()
        main.on("who") { _, _ in ["main"] }
        var admin = SocketNamespace()
        admin.use { _, auth in
            guard auth?["admin"] == true else { throw ConnectRefusal(message: "no") }
        }
        admin.on("who") { _, socket in [.string(socket.namespace)] }
        let line = try Desk(main, others: ["/admin": admin]).connectedLine()
        try line.say("40/admin,")
        #expect(try line.heard() == [#"44/admin,{"message":"no"}"#])
        try line.say(#"40/admin,{"admin":true}"#)
        #expect(try line.heard().first?.hasPrefix(#"40/admin,{"sid":""#) == true)
        try line.say(#"420["who"]"#, #"42/admin,1["who"]"#)
        #expect(try line.heard() == [#"430["main"]"#, #"43/admin,1["/admin"]"#])
    }
}
