import NIOCore
import NIOEmbedded
import Testing
import WireJSON

@testable import SocketIOServer

@Suite("A session, its namespaces and its packets")
struct SessionTests {
    // MARK: CONNECT

    @Test("a CONNECT is answered with the socket's id, and the application sees its payload")
    func connect() throws {
        let journal = Journal()
        let application = Application(onConnect: { socket, auth in
            journal.note("\(socket.id) \(auth?.description ?? "-") \(socket.request.target)")
        })
        let line = try Desk(application).upgradedLine()
        try line.say(#"40{"token":"t"}"#)
        let heard = try line.heard()
        #expect(heard.count == 1)
        let id = try sid(in: heard[0])
        #expect(heard == [#"40{"sid":"\#(id)"}"#])
        #expect(journal.lines == [#"\#(id) {"token":"t"} /socket.io/?EIO=4&transport=websocket"#])
    }

    @Test("the answer to a CONNECT comes first, then what the application sends in the same turn")
    func emittingWhileConnecting() throws {
        let application = Application(onConnect: { socket, _ in
            await socket.onLoop { socket in
                socket.emit("lost", [])
                #expect(!socket.isConnected)
                #expect(socket.accept())
                #expect(socket.isConnected)
                socket.emit("hello", [1])
                #expect(socket.accept())
            }
        })
        let line = try Desk(application).upgradedLine()
        try line.say("40", #"421["question"]"#)
        #expect(try line.heard().map(kind) == ["connected", #"42["hello",1]"#, "431[]"])
    }

    @Test("events that come before the CONNECT is answered wait, and are handled after it in their order")
    func earlyEvents() throws {
        let latch = Latch()
        let journal = Journal()
        let application = Application(
            onConnect: { _, _ in await latch.wait() },
            onEvent: { event, _ in
                journal.note(event.name)
                return []
            })
        let line = try Desk(application).upgradedLine()
        try line.say("40", #"420["a"]"#, #"42["b"]"#)
        try line.say(#"421["c"]"#)
        #expect(try line.heard().isEmpty)
        #expect(journal.lines.isEmpty)
        latch.open()
        #expect(try line.heard().map(kind) == ["connected", "430[]", "431[]"])
        #expect(journal.lines == ["a", "b", "c"])
    }

    @Test("a refused CONNECT is answered with the refusal, and what waited behind it is dropped")
    func refusedConnect() throws {
        let journal = Journal()
        let application = Application(
            onConnect: { _, auth throws(ConnectRefusal) in
                if auth == nil { throw ConnectRefusal(message: "Not authorized", data: ["code": 7]) }
            },
            onEvent: { event, _ in
                journal.note(event.name)
                return []
            },
            onDisconnect: { _, reason in journal.note("\(reason)") })
        let line = try Desk(application).upgradedLine()
        try line.say("40", #"420["lost"]"#)
        #expect(try line.heard() == [#"44{"message":"Not authorized","data":{"code":7}}"#])
        try line.say("40{}", #"420["found"]"#)
        #expect(try line.heard().map(kind) == ["connected", "430[]"])
        #expect(journal.lines == ["found"])
    }

    @Test("a refusal by an application that had accepted the socket disconnects it")
    func refusalAfterAcceptance() throws {
        let journal = Journal()
        let application = Application(
            onConnect: { socket, _ throws(ConnectRefusal) in
                await socket.onLoop { _ = $0.accept() }
                throw ConnectRefusal(message: "on second thoughts")
            },
            onDisconnect: { _, reason in journal.note("\(reason)") })
        let line = try Desk(application).upgradedLine()
        try line.say("40")
        #expect(try line.heard().map(kind) == ["connected", "41"])
        #expect(journal.lines == ["server namespace disconnect"])
        #expect(line.isOpen)
    }

    @Test("a namespace that nobody handles is refused, and the others go on")
    func unknownNamespace() throws {
        let line = try Desk().connectedLine()
        try line.say("40/nowhere,", #"420["a",1]"#)
        #expect(try line.heard() == [#"44/nowhere,{"message":"Invalid namespace"}"#, "430[1]"])
    }

    @Test("a connection that is lost while its CONNECT is judged is never accepted, and nobody hears of its end")
    func lossWhileConnecting() throws {
        let latch = Latch()
        let journal = Journal()
        let application = Application(
            onConnect: { socket, _ in
                await latch.wait()
                journal.note("cancelled: \(Task.isCancelled)")
                await socket.onLoop { journal.note("accepted: \($0.accept())") }
                await socket.onLoop { $0.join(Room("r")) }
            },
            onEvent: { _, _ in
                journal.note("event")
                return []
            },
            onDisconnect: { _, reason in journal.note("\(reason)") })
        let desk = Desk(application)
        let line = try desk.upgradedLine()
        try line.say("40", #"420["a"]"#)
        line.drop()
        #expect(desk.hub.connectionCount == 0)
        latch.open()
        desk.loop.run()
        #expect(journal.lines == ["cancelled: true", "accepted: false"])
        #expect(desk.hub.sockets(in: Room("r")).isEmpty)
    }

    // MARK: Events

    @Test("events reach the application as they are, and acknowledgements bear their ids")
    func events() throws {
        let journal = Journal()
        let application = Application(onEvent: { event, socket in
            #expect(socket.eventLoop.inEventLoop)
            journal.note("\(event.name) \(JSON.array(event.arguments)) \(event.wantsAcknowledgement)")
            return event.arguments + ["answer"]
        })
        let line = try Desk(application).connectedLine()
        try line.say(#"42["plain"]"#, #"4217["asks",1,{"a":null}]"#, #"429007199254740991[5,"number"]"#)
        #expect(try line.heard() == [#"4317[1,{"a":null},"answer"]"#, #"439007199254740991["number","answer"]"#])
        #expect(journal.lines == ["plain [] false", #"asks [1,{"a":null}] true"#, #"5 ["number"] true"#])
    }

    @Test("what one turn of the loop sends leaves as one write, the acknowledgement behind what the handler emitted")
    func acknowledgementFollowsEmits() throws {
        let application = Application(onEvent: { event, socket in
            await socket.onLoop { $0.emit("first", []) }
            await Task.yield()
            await socket.onLoop { $0.emit("second", [2]) }
            return ["done"]
        })
        let line = try Desk(application).connectedLine()
        try line.say(#"420["go"]"#)
        #expect(try line.heard() == [#"42["first"]"#, #"42["second",2]"#, #"430["done"]"#])

        let burst = Application(onEvent: { event, socket in
            await socket.onLoop { socket in for number: Int64 in 0..<5 { socket.emit("n", [.integer(number)]) } }
            return []
        })
        let other = try Desk(burst).connectedLine()
        try other.say(#"420["go"]"#)
        let writes = [try other.channel.readOutbound(as: ByteBuffer.self), try other.channel.readOutbound()]
        #expect(messages(in: try #require(writes[0]).readableBytesView).count == 6)
        #expect(writes[1] == nil)
    }

    @Test("attachments come and go with their events")
    func attachments() throws {
        let application = Application(onEvent: { event, socket in
            let bytes = event.attachments
            await socket.onLoop { $0.emit("back", event.arguments.reversed(), attachments: bytes.reversed()) }
            return [.integer(Int64(bytes.count))]
        })
        let line = try Desk(application).connectedLine()
        try line.receive(
            clientText(#"452-8["two",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#)
                + clientBinary([1, 2]) + clientBinary([3]))
        #expect(
            try line.heard() == [
                #"452-["back",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#, "<binary [3]>",
                "<binary [1, 2]>", "438[2]",
            ])
    }

    @Test("an acknowledgement from a client is taken without a word")
    func unaskedAcknowledgement() throws {
        let line = try Desk().connectedLine()
        try line.say("431[]", #"420["a"]"#)
        #expect(try line.heard() == ["430[]"])
    }

    // MARK: Leaving and coming back

    @Test("a client can leave its namespace and come back on the same connection, as another socket")
    func leavingAndReturning() throws {
        let journal = Journal()
        let application = Application(
            onConnect: { socket, _ in
                await socket.onLoop { socket in
                    socket.accept()
                    socket.join(Room("all"))
                }
            },
            onDisconnect: { socket, reason in journal.note("\(socket.id) \(reason) \(socket.isConnected)") })
        let desk = Desk(application)
        let line = try desk.upgradedLine()
        try line.say("40", #"420["a",1]"#)
        let first = try sid(in: try #require(try line.heard().first))
        try line.say("41", "40", #"420["a",2]"#)
        let heard = try line.heard()
        #expect(heard.map(kind) == ["connected", "430[2]"])
        #expect(try sid(in: heard[0]) != first)
        #expect(journal.lines == ["\(first) client namespace disconnect false"])
        #expect(desk.hub.sockets(in: Room("all")).map(\.id) == [try sid(in: heard[0])])
    }

    @Test("a handler that outlives its socket neither answers nor emits into the next one")
    func handlerOfAFormerSocket() throws {
        let latch = Latch()
        let application = Application(onEvent: { event, socket in
            if event.name == "slow" {
                await latch.wait()
                await socket.onLoop { $0.emit("late", []) }
            }
            return [.string(event.name)]
        })
        let line = try Desk(application).connectedLine()
        try line.say(#"420["slow"]"#, "41", "40", #"420["new"]"#)
        #expect(try line.heard().map(kind) == ["connected", #"430["new"]"#])
        latch.open()
        #expect(try line.heard().isEmpty)
        try line.say(#"421["new"]"#)
        #expect(try line.heard() == [#"431["new"]"#])
    }

    @Test("what still waits when the client leaves is dropped")
    func leavingDropsWhatWaits() throws {
        let latch = Latch()
        let journal = Journal()
        let application = Application(
            onEvent: { event, _ in
                journal.note(event.name)
                await latch.wait()
                return []
            }, onDisconnect: { _, _ in journal.note("gone") })
        let line = try Desk(application).connectedLine()
        try line.say(#"42["a"]"#)
        try line.say(#"42["b"]"#, "41")
        latch.open()
        line.loop.run()
        #expect(journal.lines == ["a", "gone"])
    }

    @Test("two namespaces live side by side on a connection")
    func namespaces() throws {
        let journal = Journal()
        let admin = Application(
            onConnect: { socket, _ in
                await socket.onLoop { socket in
                    socket.accept()
                    socket.join(Room("all"))
                }
            },
            onEvent: { event, socket in [.string(socket.namespace)] },
            onDisconnect: { socket, reason in journal.note("\(socket.namespace) \(reason)") })
        let desk = Desk(admin, others: ["/admin": admin])
        let line = try desk.upgradedLine()
        try line.say("40", "40/admin,", #"420["a"]"#, #"42/admin,0["a"]"#)
        let heard = try line.heard()
        #expect(heard.count == 4)
        #expect(heard.filter { $0.hasPrefix(#"40/admin,{"sid":""#) }.count == 1)
        #expect(heard.contains(#"430["/"]"#))
        #expect(heard.contains(#"43/admin,0["/admin"]"#))

        // A batch goes to the members of its namespace alone.
        desk.hub.send(OutboundBatch([OutboundEvent("main", [])]), to: Room("all"))
        desk.hub.send(OutboundBatch([OutboundEvent("other", [1], namespace: "/admin")]), to: Room("all"))
        #expect(try line.heard() == [#"42["main"]"#, #"42/admin,["other",1]"#])

        try line.say("41/admin,", #"421["a"]"#)
        #expect(try line.heard() == [#"431["/"]"#])
        #expect(journal.lines == ["/admin client namespace disconnect"])
        line.drop()
        #expect(journal.lines == ["/admin client namespace disconnect", "/ transport close"])
    }

    @Test("what a client sent before it heard that the server ended its socket costs it nothing else")
    func crossingPackets() throws {
        let sockets = Shared<[Socket]>([])
        let application = Application(onConnect: { socket, _ in sockets.change { $0.append(socket) } })
        let desk = Desk(application, others: ["/other": Application()])
        let line = try desk.connectedLine()
        try line.say("40/other,")
        _ = try line.heard()
        sockets.value[0].disconnect()
        try line.say(#"420["late"]"#, "431[]", "41", #"42/other,5["a"]"#)
        #expect(try line.heard() == ["41", "43/other,5[]"])
        try line.say("40", #"420["a"]"#)
        #expect(try line.heard().map(kind) == ["connected", "430[]"])
        // Once the client has come and gone by itself, an event has no such excuse.
        try line.say("41", #"420["late"]"#)
        #expect(try line.heard() == ["<close 1008 protocol violation>"])
    }
}
