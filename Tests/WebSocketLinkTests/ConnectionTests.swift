import NIOCore
import NIOEmbedded
import Testing

@testable import WebSocketLink

@Suite("Connection")
struct ConnectionTests {
    // MARK: Messages

    @Test("a client's text and binary messages arrive, in order")
    func receiving() throws {
        let link = try Link()
        try link.receive(clientText("one") + frame(2, [1, 2], key: key) + clientText("Grüße"))
        #expect(link.recorder.texts == ["one", "binary [1, 2]", "Grüße"])
        #expect(try link.sent().isEmpty)
    }

    @Test("messages arrive whole, whatever the split point")
    func splitPoints() throws {
        let stream =
            clientText("first") + clientText("frag", isFinal: false) + frame(9, [7], key: key)
            + frame(0, Array("mented".utf8), key: key)
        for split in 0...stream.count {
            let link = try Link()
            try link.receive(Array(stream[..<split]))
            try link.receive(Array(stream[split...]))
            #expect(link.recorder.texts == ["first", "fragmented"])
            #expect(try link.sent() == frame(10, [7]))
        }
    }

    @Test("what is sent leaves with the flush, as one write")
    func sending() throws {
        let link = try Link()
        link.connection.send(.text(ByteBuffer(string: "a")))
        link.connection.send(.binary(ByteBuffer([1])))
        link.connection.send(encodedFrames: WebSocketFrameWriter.textFrame(ByteBuffer(string: "b")))
        #expect(link.connection.queuedBytes == 9)
        #expect(try link.sent().isEmpty)
        link.connection.flush()
        #expect(link.connection.queuedBytes == 0)
        #expect(
            try link.channel.readOutbound(as: ByteBuffer.self)?.bytes == frame(1, [97]) + frame(2, [1]) + frame(1, [98])
        )
        #expect(try link.writes() == 0)
    }

    @Test("large payloads go out in order and unchanged between small ones")
    func largePayloads() throws {
        let link = try Link()
        let large = [UInt8](repeating: 5, count: 70_000)
        let shared = WebSocketFrameWriter.binaryFrame(ByteBuffer(large))
        link.connection.send(.text(ByteBuffer(string: "a")))
        link.connection.send(.binary(ByteBuffer(large)))
        link.connection.send(.text(ByteBuffer(string: "b")))
        link.connection.send(encodedFrames: shared)
        link.connection.send(encodedFrames: shared)
        link.connection.send(.text(ByteBuffer(string: "c")))
        link.connection.flush()
        let big = frame(2, large)
        #expect(try link.sent() == frame(1, [97]) + big + frame(1, [98]) + big + big + frame(1, [99]))
        #expect(shared.bytes == big)
    }

    @Test("a shared frame isn't changed by what is sent behind it")
    func sharedFrameStays() throws {
        let shared = WebSocketFrameWriter.textFrame(ByteBuffer(string: "shared"))
        let link = try Link()
        let other = try Link()
        for each in [link, other] {
            each.connection.send(encodedFrames: shared)
        }
        link.connection.send(.text(ByteBuffer(string: "own")))
        link.connection.flush()
        other.connection.flush()
        #expect(try link.sent() == frame(1, Array("shared".utf8)) + frame(1, Array("own".utf8)))
        #expect(try other.sent() == frame(1, Array("shared".utf8)))
    }

    @Test("a client masks what it sends, with a new key each time, and reads unmasked frames")
    func clientRole() throws {
        let link = try Link(role: .client)
        let payload = [UInt8](repeating: 65, count: 5000)
        for _ in 0..<2 {
            link.connection.send(.text(ByteBuffer(payload)))
        }
        link.connection.flush()
        var parser = WebSocketFrameParser(role: .server, maximumPayloadSize: 10_000)
        let bytes = try link.sent()
        parser.append(ByteBuffer(bytes))
        for _ in 0..<2 {
            #expect(try parser.nextFrame() == WebSocketFrame(opcode: .text, payload: ByteBuffer(payload)))
        }
        #expect(try parser.nextFrame() == nil)
        #expect(bytes[4..<8] != bytes[(5008 + 4)..<(5008 + 8)])

        try link.receive(frame(1, Array("hi".utf8)))
        #expect(link.recorder.texts == ["hi"])
    }

    @Test("bytes that came before the handler was in the pipeline may be read into it")
    func leftoverBytes() throws {
        let recorder = Recorder()
        let connection = WebSocketConnection(role: .server, maximumMessageSize: 100, delegate: recorder)
        let channel = EmbeddedChannel()
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        #expect(!connection.isOpen)
        try channel.pipeline.syncOperations.addHandler(connection)
        #expect(connection.isOpen)
        channel.pipeline.fireChannelRead(ByteBuffer(clientText("early")))
        #expect(recorder.texts == ["early"])
    }

    @Test("bytes that wait for the channel are counted until they are written")
    func queuedBytes() throws {
        let link = try Link()
        let payload = [UInt8](repeating: 0, count: 10_000)
        link.connection.send(.binary(ByteBuffer(payload)))
        link.connection.send(.binary(ByteBuffer(payload)))
        #expect(link.connection.queuedBytes == 2 * 10_004)
        link.connection.flush()
        #expect(link.connection.queuedBytes == 0)
    }

    // MARK: Control frames

    @Test("each ping is answered with its payload while the channel is writable, one flush for all of a read")
    func pings() throws {
        let link = try Link()
        try link.receive(frame(9, [1], key: key) + frame(9, key: key) + frame(9, [2, 3], key: key))
        #expect(
            try link.channel.readOutbound(as: ByteBuffer.self)?.bytes == frame(10, [1]) + frame(10) + frame(10, [2, 3]))
        #expect(link.recorder.messages.isEmpty)
    }

    @Test("a flood of pings to a peer that doesn't read leaves one pong")
    func pingFlood() throws {
        let link = try Link()
        link.channel.isWritable = false
        for number in 0..<10_000 {
            try link.receive(frame(9, [UInt8(truncatingIfNeeded: number), 1], key: key))
        }
        #expect(link.connection.queuedBytes == 0)
        #expect(try link.sent().isEmpty)
        link.channel.isWritable = true
        link.channel.pipeline.fireChannelWritabilityChanged()
        #expect(try link.sent() == frame(10, [UInt8(truncatingIfNeeded: 9_999), 1]))
    }

    @Test("a pong that nobody asked for is ignored")
    func unsolicitedPong() throws {
        let link = try Link()
        try link.receive(frame(10, [1, 2], key: key) + clientText("after"))
        #expect(link.recorder.texts == ["after"])
        #expect(try link.sent().isEmpty)
    }

    // MARK: Violations

    @Test("each violation is told with its code, reported once, and ends the parsing")
    func violations() throws {
        let cases: [([UInt8], WebSocketViolation, UInt16)] = [
            (frame(1, [65]), .unmaskedFrame, 1002),
            (frame(1, [65], reserved: 4, key: key), .reservedBitsSet, 1002),
            (frame(3, key: key), .reservedOpcode(3), 1002),
            (frame(9, isFinal: false, key: key), .fragmentedControlFrame, 1002),
            ([0x89, 0xFE, 0x00, 0x7E], .controlFrameTooLong, 1002),
            ([0x82, 0xFE, 0x00, 0x05], .lengthNotMinimal, 1002),
            ([0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0], .lengthOverflow, 1002),
            ([0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0], .messageTooBig, 1009),
            (frame(0, [65], key: key), .unexpectedContinuation, 1002),
            (clientText("a", isFinal: false) + clientText("b"), .interruptedMessage, 1002),
            (frame(1, [0xFF], key: key), .invalidText, 1007),
            (frame(8, [0x03], key: key), .truncatedCloseCode, 1002),
            (clientClose(1005), .invalidCloseCode(1005), 1002),
            (frame(8, [0x03, 0xE8, 0xFF], key: key), .invalidCloseReason, 1007),
        ]
        for (bytes, violation, code) in cases {
            let link = try Link(maximumMessageSize: 1000)
            try link.receive(clientText("before") + bytes + clientText("behind"))
            #expect(try link.sent() == serverClose(code, violation.description), "\(violation)")
            #expect(link.recorder.texts == ["before"])
            #expect(link.recorder.ends == [.violation(violation)])
            #expect(!link.connection.isOpen)
            _ = try? link.channel.finish(acceptAlreadyClosed: true)
            #expect(link.recorder.ends.count == 1)
        }
    }

    @Test("the fragments of a message share one limit, checked from the header of the fragment that breaks it")
    func limitAcrossFragments() throws {
        let link = try Link(maximumMessageSize: 100)
        try link.receive(frame(2, [UInt8](repeating: 1, count: 60), isFinal: false, key: key))
        try link.receive(Array(frame(0, [UInt8](repeating: 1, count: 41), key: key)[..<2]))
        #expect(link.recorder.ends == [.violation(.messageTooBig)])
    }

    @Test("after a message the whole limit is there again")
    func limitIsPerMessage() throws {
        let link = try Link(maximumMessageSize: 100)
        let half = [UInt8](repeating: 1, count: 50)
        for _ in 0..<3 {
            try link.receive(frame(2, half, isFinal: false, key: key) + frame(0, half, key: key))
        }
        try link.receive(frame(2, half + half, key: key))
        #expect(link.recorder.messages.count == 4)
        #expect(link.recorder.ends.isEmpty)
    }

    // MARK: Reentrancy

    @Test("a delegate may send and flush while it is called")
    func reentrantSend() throws {
        let link = try Link()
        link.recorder.onMessage = { connection, message in
            connection.send(message)
            connection.flush()
        }
        try link.receive(clientText("a") + clientText("b"))
        #expect(try link.sent() == frame(1, [97]) + frame(1, [98]))
    }

    @Test("a delegate that closes while it is called hears no more messages, and of the end once")
    func reentrantClose() throws {
        let link = try Link()
        link.recorder.onMessage = { connection, _ in
            connection.close(code: .goingAway, reason: "enough")
            connection.close()
            connection.send(.text(ByteBuffer(string: "never")))
            connection.flush()
        }
        try link.receive(clientText("a") + clientText("b"))
        #expect(link.recorder.texts == ["a"])
        #expect(try link.sent() == serverClose(1001, "enough"))
        #expect(link.recorder.ends.isEmpty)
        try link.receive(clientText("c") + clientClose(1001))
        #expect(link.recorder.ends == [.local])
        #expect(!link.channel.isActive)
    }

    @Test("a delegate that aborts while it is called hears no more messages, and of the end once")
    func reentrantAbort() throws {
        let link = try Link()
        link.recorder.onMessage = { connection, _ in
            connection.abort()
            connection.abort()
            connection.close()
        }
        link.recorder.onEnd = { $0.abort() }
        try link.receive(clientText("a") + clientText("b") + frame(3, key: key))
        #expect(link.recorder.texts == ["a"])
        #expect(link.recorder.ends == [.local])
        #expect(!link.channel.isActive)
        #expect(try link.sent().isEmpty)
    }

    @Test("a read that comes while the delegate is called is handled after it, in order")
    func reentrantRead() throws {
        let link = try Link()
        var isInside = false
        var overlaps = 0
        link.recorder.onMessage = { [channel = link.channel, recorder = link.recorder] _, _ in
            overlaps += isInside ? 1 : 0
            isInside = true
            if recorder.messages.count == 1 {
                channel.pipeline.fireChannelRead(ByteBuffer(clientText("third")))
            }
            isInside = false
        }
        try link.receive(clientText("first") + clientText("second"))
        #expect(link.recorder.texts == ["first", "second", "third"])
        #expect(overlaps == 0)
    }
}
