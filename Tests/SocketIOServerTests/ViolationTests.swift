import MetricsTestKit
import NIOCore
import NIOEmbedded
import Testing
import WireJSON

@testable import SocketIOServer

@Suite("What clients do wrong, and what is counted")
struct ViolationTests {
    private static let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]

    /// A binary message of zeros.
    private static func zeros(_ count: Int) -> [UInt8] {
        [0x82, 0xFF] + (0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * $0)) }
            + [UInt8](repeating: 0, count: 4 + count)
    }

    private static let placeholder = #"{"_placeholder":true,"num":0}"#

    /// What a client that is in the main namespace sends to break each rule.
    private static let violations: [(violation: ProtocolViolation, bytes: [UInt8], code: Int)] = [
        (.reservedBitsSet, [0xC1, 0x80] + key, 1002),
        (.reservedOpcode, frame(3, [], key: key), 1002),
        (.unmaskedFrame, frame(1, [65]), 1002),
        (.fragmentedControlFrame, frame(9, [], isFinal: false, key: key), 1002),
        (.controlFrameTooLong, [0x89, 0xFE], 1002),
        (.lengthNotMinimal, [0x82, 0xFE, 0, 0x7D], 1002),
        (.lengthOverflow, [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0], 1002),
        (.messageTooBig, [0x82, 0xFF, 0, 0, 0, 0, 0, 0x10, 0, 0], 1009),
        (.unexpectedContinuation, frame(0, [65], key: key), 1002),
        (.interruptedMessage, frame(1, [65], isFinal: false, key: key) + frame(1, [65], key: key), 1002),
        (.invalidText, frame(1, [0xFF], key: key), 1007),
        (.truncatedCloseCode, frame(8, [3], key: key), 1002),
        (.invalidCloseCode, clientClose(1005), 1002),
        (.invalidCloseReason, frame(8, [0x03, 0xE8, 0xC3], key: key), 1007),
        (.emptyEnginePacket, clientText(""), 1008),
        (.unknownEnginePacketType, clientText("x"), 1008),
        (.invalidHandshake, clientText("0{}"), 1008),
        (.invalidBase64, clientText("b?"), 1008),
        (.unexpectedPing, clientText("2"), 1008),
        (.unexpectedOpen, clientText(#"0{"sid":"a","pingInterval":1,"pingTimeout":1}"#), 1008),
        (.emptyPacket, clientText("4"), 1008),
        (.unknownPacketType, clientText("49"), 1008),
        (.malformedAttachmentCount, clientText("451[]"), 1008),
        (.tooManyAttachments, clientText(#"4517-["a"]"#), 1009),
        (
            .attachmentsTooLarge,
            clientText(
                #"455-["a","#
                    + (0..<5).map { #"{"_placeholder":true,"num":\#($0)}"# }.joined(separator: ",") + "]")
                + (0..<5).flatMap { _ in zeros(1_000_000) }, 1009
        ),
        (.idOutOfRange, clientText(#"429007199254740992["a"]"#), 1008),
        (.unexpectedID, clientText("401"), 1008),
        (.missingID, clientText("43[]"), 1008),
        (.malformedPayload, clientText("42["), 1008),
        (.missingPayload, clientText("42"), 1008),
        (.unexpectedPayload, clientText("42{}"), 1008),
        (.malformedEventName, clientText("42[true]"), 1008),
        (.reservedEventName, clientText(#"42["disconnect"]"#), 1008),
        (.misnumberedPlaceholder, clientText(#"451-["a",{"_placeholder":true,"num":1}]"#), 1008),
        (.unusedAttachment, clientText(#"451-["a"]"#), 1008),
        (.textInsteadOfAttachment, clientText(#"451-["a",\#(placeholder)]"#) + clientText(#"42["a"]"#), 1008),
        (.unexpectedAttachment, clientBinary([1]), 1008),
        (.unexpectedPacket, clientText("40"), 1008),
        (.namespaceNotConnected, clientText(#"42/other,["a"]"#), 1008),
    ]

    @Test("each violation closes the connection with its code, and has its reason, its log line and its counter")
    func everyViolation() throws {
        for (violation, bytes, code) in Self.violations {
            let (metrics, logs, journal) = (TestMetrics(), Journal(), Journal())
            let application = Application(onDisconnect: { _, reason in journal.note("\(reason)") })
            let desk = Desk(application, metrics: metrics, logs: logs)
            let line = try desk.connectedLine()
            try line.receive(bytes)
            let heard = try line.heard()
            #expect(heard.count == 1 && heard[0].hasPrefix("<close \(code) "), "\(violation): \(heard)")
            #expect(violation.closeCode == code)
            #expect(journal.lines == [violation.reason.rawValue], "\(violation)")
            let fault = logs.lines.filter { $0.hasPrefix("notice: closing a connection that breaks the ") }
            #expect(fault.count == 1 && fault[0].contains("protocol: "), "\(violation): \(logs.lines)")
            let label = [("violation", violation.rawValue)]
            #expect(try metrics.expectCounter(SocketIOServerMetrics.violations, label).totalValue == 1)
            #expect(metrics.counterTotal(label: SocketIOServerMetrics.violations) == 1)
            let reason = [("reason", violation.reason == .parseError ? "parse_error" : "protocol_violation")]
            #expect(metrics.counterTotal(label: SocketIOServerMetrics.endedSessions, dimensions: reason) == 1)
            #expect(metrics.counterTotal(label: SocketIOServerMetrics.disconnectedSockets, dimensions: reason) == 1)
            #expect(desk.hub.connectionCount == 0)
        }
        // A server is sent no frames that only servers may send; a WebSocket's text is UTF-8, and carries one packet.
        let others: Set<ProtocolViolation> = [
            .maskedFrame, .malformedNamespace, .tooManyPackets, .duplicatePoll, .duplicateDelivery,
        ]
        #expect(Set(Self.violations.map(\.violation)) == Set(ProtocolViolation.allCases).subtracting(others))
    }

    @Test("requests that are refused are counted by what was wrong with them")
    func refusedRequests() throws {
        let good = webSocketRequest()
        let requests: [(RequestRefusal, String)] = [
            (.unknownTransport, webSocketRequest(target: "/socket.io/?EIO=4")),
            (.unknownSession, webSocketRequest(target: "/socket.io/?EIO=4&transport=websocket&sid=x")),
            (.badHandshakeMethod, good.replacing("GET", with: "PUT")),
            (.badRequest, request("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1", "Host: a")),
            (.forbidden, webSocketRequest(target: "/socket.io/?EIO=4&transport=websocket&stranger")),
            (.unsupportedProtocolVersion, webSocketRequest(target: "/socket.io/?EIO=3&transport=websocket")),
            (.malformedHTTP, "HELLO\r\n\r\n"),
            (.notHTTP11, good.replacing("HTTP/1.1", with: "HTTP/1.0")),
            (.upgradeMissing, good.replacing("Upgrade: websocket", with: "Upgrade: h2c")),
            (.connectionMissing, good.replacing("Connection: Upgrade", with: "Connection: close")),
            (.versionUnsupported, good.replacing("Version: 13", with: "Version: 8")),
            (.keyInvalid, good.replacing("bXBsZSB", with: "")),
            (.timedOut, "GET /socket.io/"),
        ]
        for (refusal, text) in requests {
            let (metrics, logs) = (TestMetrics(), Journal())
            var namespace = SocketNamespace()
            namespace.allowRequest { if $0.target.hasSuffix("stranger") { throw NotInTime() } }
            let desk = Desk(namespace, metrics: metrics, logs: logs)
            let line = try desk.line()
            try line.receive(text)
            if refusal == .timedOut { desk.loop.advanceTime(by: .seconds(10)) }
            let label = [("reason", refusal.rawValue)]
            let counted = metrics.counterTotal(label: SocketIOServerMetrics.refusedRequests, dimensions: label)
            #expect(counted == 1, "\(refusal)")
            #expect(metrics.counterTotal(label: SocketIOServerMetrics.refusedRequests) == 1, "\(refusal)")
            #expect(metrics.counterTotal(label: SocketIOServerMetrics.openedSessions) == 0)
            #expect(logs.lines.count == 1, "\(refusal): \(logs.lines)")
        }
        // Who asks for a session with another method is refused as that before anything else is looked at.
        // Limits and a server's end are reached by more than one request.
        let others: Set<RequestRefusal> = [
            .methodNotGET, .bodyTooLong, .tooManyConnections, .tooManySessions, .stopping,
        ]
        #expect(Set(requests.map(\.0)) == Set(RequestRefusal.allCases).subtracting(others))
    }

    @Test("what only clients can do wrong that poll is counted, too")
    func polling() throws {
        let (metrics, logs, latch) = (TestMetrics(), Journal(), Latch())
        var namespace = SocketNamespace()
        namespace.on("wait") { _, _ in
            await latch.wait()
            return []
        }
        let desk = Desk(namespace, metrics: metrics, logs: logs) {
            $0.maximumPendingEvents = 1
            $0.maximumPayload = 1_000
            $0.maximumConnections = 9
        }
        func count(_ name: String, _ label: String, _ value: String) -> Int64 {
            metrics.counterTotal(label: name, dimensions: [(label, value)])
        }
        func violations(_ violation: ProtocolViolation) -> Int64 {
            count(SocketIOServerMetrics.violations, "violation", violation.rawValue)
        }
        func refusals(_ refusal: RequestRefusal) -> Int64 {
            count(SocketIOServerMetrics.refusedRequests, "reason", refusal.rawValue)
        }
        let first = try Poller(desk)
        _ = try (first.poll(), first.poll())
        #expect(violations(.duplicatePoll) == 1)

        let second = try Poller(desk)
        try second.connect()
        let body = Array(repeating: #"42["wait"]"#, count: 3).joined(separator: "\u{1e}")
        _ = try (second.post(body), second.post("3"))
        #expect(violations(.duplicateDelivery) == 1)
        latch.open()

        let (sessions, channels) = (desk.server.engine.sessions, desk.server.engine.connections)
        #expect(sessions.total == 0)
        let spare = try desk.line()
        #expect(channels.total == 9)
        let turnedAway = try desk.line()
        #expect(try turnedAway.sentText().hasPrefix("HTTP/1.1 503 "))
        #expect(!turnedAway.isOpen)
        #expect(refusals(.tooManyConnections) == 1)
        #expect(logs.lines.contains { $0.hasPrefix("notice: too many connections") })
        withExtendedLifetime((first, second, spare)) {}
    }

    @Test("what goes well, and what else goes wrong, is counted where it happens")
    func counts() throws {
        let metrics = TestMetrics()
        var namespace = SocketNamespace()
        namespace.use { _, auth in
            if auth?["refuse"] != nil { throw ConnectRefusal(message: "no") }
        }
        namespace.on("ask") { _, socket in
            _ = try? await socket.emitWithAcknowledgement("q", timeout: .seconds(1))
            return []
        }
        namespace.on("volatile") { _, socket in
            socket.emit("v", volatile: true)
            return []
        }
        let desk = Desk(namespace, metrics: metrics) { ($0.queueHighWaterMark, $0.queueLimit) = (1_000, 1_000) }
        func total(_ name: String, _ reason: String? = nil) -> Int64 {
            guard let reason else { return metrics.counterTotal(label: name) }
            return metrics.counterTotal(label: name, dimensions: [("reason", reason)])
        }
        // Everything is there from the beginning.
        let droppedFor = metrics.counters(label: SocketIOServerMetrics.droppedEvents).map(\.dimensions[0].1)
        #expect(Set(droppedFor) == ["volatile", "backlog"])

        let line = try desk.upgradedLine()
        try line.say("40/nowhere,", #"40{"refuse":1}"#)
        #expect(total(SocketIOServerMetrics.refusedConnects, "invalid_namespace") == 1)
        #expect(total(SocketIOServerMetrics.refusedConnects, "refused") == 1)
        try line.say("40")
        #expect(total(SocketIOServerMetrics.connectedSockets) == 1)
        #expect(total(SocketIOServerMetrics.openedSessions) == 1)
        try line.say(#"42["ask"]"#)
        desk.loop.advanceTime(by: .seconds(1))
        try line.say("430[]")
        #expect(total(SocketIOServerMetrics.missingAcknowledgements, "timed_out") == 1)
        #expect(total(SocketIOServerMetrics.unexpectedAcknowledgements) == 1)
        try line.say(#"42["volatile"]"#)
        #expect(total(SocketIOServerMetrics.droppedEvents) == 0)
        line.channel.isWritable = false
        try line.say(#"42["volatile"]"#)
        #expect(total(SocketIOServerMetrics.droppedEvents, "volatile") == 1)
        desk.server.broadcast("large", [.string(String(repeating: "x", count: 2_000))])
        desk.loop.run()
        #expect(total(SocketIOServerMetrics.droppedEvents, "backlog") == 1)
        line.drop()
        #expect(total(SocketIOServerMetrics.disconnectedSockets, "transport_close") == 1)
        #expect(total(SocketIOServerMetrics.endedSessions, "transport_close") == 1)
    }
}
