import NIOCore
import NIOEmbedded
import SocketIO
import Testing
import WireJSON

@testable import SocketIOServer

@Suite("Acknowledgements, both ways")
struct AcknowledgementTests {
    /// An application that asks its client what it is told to ask, and notes how that ends.
    private func asking(
        _ journal: Journal, timeout: TimeAmount = .seconds(5), attachments: [ByteBuffer] = []
    ) -> Application {
        Application(onEvent: { event, socket in
            do throws(AcknowledgementError) {
                let answer = try await socket.emitWithAcknowledgement(
                    "question", event.arguments, attachments: attachments, timeout: timeout)
                journal.note("\(JSON.array(answer.arguments))")
                return answer.arguments
            } catch {
                journal.note("\(error)")
                return ["\(error)"]
            }
        })
    }

    @Test("the server asks, the client answers, and what the handler makes of it is acknowledged in its turn")
    func question() throws {
        let journal = Journal()
        let line = try Desk(asking(journal)).connectedLine()
        try line.say(#"427["ask",1,{"a":null}]"#)
        #expect(try line.heard() == [#"420["question",1,{"a":null}]"#])
        #expect(journal.lines.isEmpty)
        try line.say(#"430["yes",2]"#)
        #expect(try line.heard() == [#"437["yes",2]"#])
        try line.say(#"428["ask"]"#)
        try line.say("431[]")
        #expect(try line.heard() == [#"421["question"]"#, "438[]"])
        #expect(journal.lines == [#"["yes",2]"#, "[]"])
    }

    @Test("attachments travel with questions, with the client's answers, and with the server's own")
    func attachments() throws {
        let heard = Shared<[[UInt8]]>([])
        let application = Application(
            onEvent: { event, socket in
                #expect(event.attachment(for: event.arguments[0]) == ByteBuffer(bytes: [9]))
                let bytes = event.attachments + [ByteBuffer(bytes: [1, 2])]
                let answer = try? await socket.emitWithAcknowledgement(
                    "question", [["file": .attachment(1)], .attachment(0)], attachments: bytes)
                let received = answer?.arguments.compactMap { answer?.attachment(for: $0) } ?? []
                heard.change { $0 += received.map { Array($0.readableBytesView) } }
                return [.attachment(0), .attachment(1)]
            },
            onAttachments: { event in [ByteBuffer(bytes: [5]), ByteBuffer(bytes: [6, 7])] })
        let line = try Desk(application).connectedLine()
        try line.receive(clientText(#"451-3["go",{"_placeholder":true,"num":0}]"#) + clientBinary([9]))
        #expect(
            try line.heard() == [
                #"452-0["question",{"file":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}]"#,
                "<binary [9]>", "<binary [1, 2]>",
            ])
        try line.receive(
            clientText(#"462-0["x",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#)
                + clientBinary([3]) + clientBinary([4, 4]))
        #expect(heard.value == [[4, 4], [3]])
        #expect(
            try line.heard() == [
                #"462-3[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#, "<binary [5]>",
                "<binary [6, 7]>",
            ])
    }

    @Test("an answer that does not come in time is not waited for, and ignored when it comes yet")
    func timeout() throws {
        let journal = Journal()
        let desk = Desk(asking(journal))
        let line = try desk.connectedLine()
        try line.say(#"420["ask",1]"#)
        desk.loop.advanceTime(by: .milliseconds(4_999))
        #expect(journal.lines.isEmpty)
        desk.loop.advanceTime(by: .milliseconds(1))
        #expect(journal.lines == ["\(AcknowledgementError.timedOut)"])
        try line.say(#"430["late"]"#, #"421["ask",2]"#)
        try line.say(#"431["in time"]"#)
        #expect(journal.lines.dropFirst() == [#"["in time"]"#])
        desk.loop.advanceTime(by: .seconds(6))
        #expect(journal.count == 2)
        #expect(line.isOpen)
    }

    @Test("whoever waits hears why the socket went, and whoever asks later hears it at once")
    func disconnection() throws {
        for (end, reason): ((Line) throws -> Void, DisconnectReason) in [
            ({ $0.drop() }, .transportClose), ({ try $0.say("41") }, .clientDisconnect),
            ({ try $0.say("42{}") }, .parseError),
        ] {
            let journal = Journal()
            let sockets = Shared<[Socket]>([])
            let application = Application(
                onConnect: { socket, _ in sockets.change { $0.append(socket) } },
                onEvent: { event, socket in
                    for question in ["first", "second"] {
                        do throws(AcknowledgementError) {
                            _ = try await socket.emitWithAcknowledgement(question)
                        } catch {
                            journal.note("\(question) \(error == .disconnected(reason))")
                        }
                    }
                    return []
                })
            let line = try Desk(application).connectedLine()
            try line.say(#"42["ask"]"#)
            #expect(sockets.value[0].acknowledgements.count == 1)
            try end(line)
            line.loop.run()
            #expect(journal.lines == ["first true", "second true"])
            #expect(sockets.value[0].acknowledgements.isEmpty)
        }
    }

    @Test("a socket that is not accepted yet can't be asked")
    func notConnected() throws {
        let journal = Journal()
        let application = Application(onConnect: { socket, _ in
            do throws(AcknowledgementError) {
                _ = try await socket.emitWithAcknowledgement("too early")
            } catch {
                journal.note("\(error == .notConnected)")
            }
        })
        let line = try Desk(application).connectedLine()
        #expect(journal.lines == ["true"])
        #expect(try line.heard().isEmpty)
    }

    @Test("so many answers are waited for and no more, and an answer makes room again")
    func limit() throws {
        let journal = Journal()
        let application = Application(onEvent: { event, socket in
            await withTaskGroup { group in
                for number: Int64 in 1...3 {
                    group.addTask(executorPreference: socket.hub.executor) {
                        do throws(AcknowledgementError) {
                            _ = try await socket.emitWithAcknowledgement("q", [.integer(number)])
                        } catch {
                            journal.note("\(error == .tooManyOutstanding(limit: 2))")
                        }
                    }
                }
            }
            return ["done"]
        })
        let line = try Desk(application, configure: { $0.maximumPendingAcknowledgements = 2 }).connectedLine()
        try line.say(#"420["ask"]"#)
        #expect(try line.heard() == [#"420["q",1]"#, #"421["q",2]"#])
        #expect(journal.lines == ["true"])
        try line.say("430[]", "431[]", #"421["ask"]"#)
        #expect(try line.heard() == [#"430["done"]"#, #"422["q",1]"#, #"423["q",2]"#])
    }

    @Test("an acknowledgement that was not asked for, or comes twice, is taken without a word")
    func unasked() throws {
        let journal = Journal()
        let line = try Desk(asking(journal)).connectedLine()
        try line.say("430[]", "439007199254740991[]", #"420["ask"]"#)
        try line.say(#"430["a"]"#, #"430["b"]"#)
        #expect(journal.lines == [#"["a"]"#])
        #expect(line.isOpen)
    }

    @Test("tasks anywhere may ask at the same time, each gets its own answer, and a cancelled one stops waiting")
    func live() async throws {
        let sockets = Shared<[Socket]>([])
        let application = Application(onConnect: { socket, _ in sockets.change { $0.append(socket) } })
        try await LiveServer.with(application) { live in
            let client = try await LiveClient.enter(live.address)
            let socket = sockets.value[0]
            let questions = (0..<50).map { number in
                Task { try await socket.emitWithAcknowledgement("q", [.integer(Int64(number))]) }
            }
            try await client.wait(for: 50)
            for message in client.take().reversed() {
                // 42<id>["q",<number>]
                let id = message.dropFirst(2).prefix { $0.isNumber }
                let number = message.drop { $0 != "," }.dropFirst().dropLast()
                client.send("43\(id)[\(number)]")
            }
            for (number, question) in questions.enumerated() {
                #expect(try await question.value == [.integer(Int64(number))])
            }

            let waiting = Task { () -> AcknowledgementError? in
                do throws(AcknowledgementError) {
                    _ = try await socket.emitWithAcknowledgement("never answered", timeout: .hours(1))
                    return nil
                } catch {
                    return error
                }
            }
            try await client.wait(for: 1)
            waiting.cancel()
            #expect(await waiting.value == .cancelled)
            #expect(await socket.onLoop { $0.acknowledgements.isEmpty })
            let cancelledBefore = Task { () -> Bool in
                withUnsafeCurrentTask { $0?.cancel() }
                do throws(AcknowledgementError) {
                    _ = try await socket.emitWithAcknowledgement("never sent")
                    return false
                } catch {
                    return error == .cancelled
                }
            }
            #expect(await cancelledBefore.value)
            client.take().forEach { #expect(!$0.contains("never sent")) }
        }
    }
}
