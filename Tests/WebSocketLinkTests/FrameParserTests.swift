import NIOCore
import TestSupport
import Testing

@testable import WebSocketLink

@Suite("Frame parser")
struct FrameParserTests {
    /// Everything that comes out of bytes that come in pieces: frames, and the violation that ended it.
    private func parse(
        _ pieces: [[UInt8]],
        role: WebSocketRole = .server,
        limit: Int = 1 << 20
    ) -> (frames: [WebSocketFrame], violation: WebSocketViolation?) {
        var parser = WebSocketFrameParser(role: role, maximumPayloadSize: limit)
        var frames: [WebSocketFrame] = []
        for piece in pieces {
            parser.append(ByteBuffer(piece))
            do throws(WebSocketViolation) {
                while let frame = try parser.nextFrame() {
                    frames.append(frame)
                }
            } catch {
                return (frames, error)
            }
        }
        return (frames, nil)
    }

    @Test("the examples of RFC 6455 section 5.7 are read as they are meant")
    func examplesOfTheRFC() {
        let hello = ByteBuffer(string: "Hello")
        #expect(
            parse([[0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]], role: .client).frames
                == [WebSocketFrame(opcode: .text, payload: hello)])
        #expect(
            parse([[0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]]).frames
                == [WebSocketFrame(opcode: .text, payload: hello)])
        #expect(
            parse([[0x01, 0x03, 0x48, 0x65, 0x6C], [0x80, 0x02, 0x6C, 0x6F]], role: .client).frames == [
                WebSocketFrame(isFinal: false, opcode: .text, payload: ByteBuffer(string: "Hel")),
                WebSocketFrame(opcode: .continuation, payload: ByteBuffer(string: "lo")),
            ])
        #expect(
            parse([[0x89, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]], role: .client).frames
                == [WebSocketFrame(opcode: .ping, payload: hello)])
        #expect(
            parse([[0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]]).frames
                == [WebSocketFrame(opcode: .pong, payload: hello)])
        let binary = [UInt8](repeating: 7, count: 256)
        #expect(
            parse([[0x82, 0x7E, 0x01, 0x00] + binary], role: .client).frames
                == [WebSocketFrame(opcode: .binary, payload: ByteBuffer(binary))])
        let large = [UInt8](repeating: 9, count: 65536)
        #expect(
            parse([[0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0] + large], role: .client).frames
                == [WebSocketFrame(opcode: .binary, payload: ByteBuffer(large))])
    }

    @Test(
        "payloads at the borders of each length form come through whole",
        arguments: [0, 1, 7, 8, 9, 125, 126, 127, 65535, 65536, 65537], [WebSocketRole.client, .server])
    func lengthForms(length: Int, role: WebSocketRole) {
        let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let bytes = frame(2, payload, key: role == .server ? key : nil)
        let result = parse([bytes], role: role)
        #expect(result.violation == nil)
        #expect(result.frames == [WebSocketFrame(opcode: .binary, payload: ByteBuffer(payload))])
    }

    @Test(
        "a stream of frames reads the same at every split point and byte by byte",
        arguments: [WebSocketRole.client, .server])
    func everySplitPoint(role: WebSocketRole) {
        let mask = role == .server ? key : nil
        let long = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
        let stream =
            frame(1, Array("Grüße".utf8), key: mask) + frame(9, [1, 2, 3], key: mask)
            + frame(2, long, isFinal: false, key: mask) + frame(10, key: mask) + frame(0, [4, 5], key: mask)
            + frame(8, [0x03, 0xE8], key: mask)
        let whole = parse([stream], role: role)
        #expect(whole.frames.map(\.opcode) == [.text, .ping, .binary, .pong, .continuation, .close])
        #expect(whole.frames[2].payload.bytes == long)
        for split in 0...stream.count {
            let result = parse([Array(stream[..<split]), Array(stream[split...])], role: role)
            #expect(result.frames == whole.frames, "split at \(split)")
            #expect(result.violation == nil)
        }
        for size in 1...40 {
            let pieces = stride(from: 0, to: stream.count, by: size).map {
                Array(stream[$0..<min($0 + size, stream.count)])
            }
            #expect(parse(pieces, role: role).frames == whole.frames, "pieces of \(size)")
        }
    }

    @Test("what a single frame must not be is named, and told with the protocol's code")
    func violations() {
        let cases: [(WebSocketRole, [UInt8], WebSocketViolation, UInt16)] = [
            (.server, frame(1, [65], reserved: 4, key: key), .reservedBitsSet, 1002),
            (.server, frame(1, [65], reserved: 2, key: key), .reservedBitsSet, 1002),
            (.server, frame(1, [65], reserved: 1, key: key), .reservedBitsSet, 1002),
            (.server, frame(3, key: key), .reservedOpcode(3), 1002),
            (.server, frame(7, key: key), .reservedOpcode(7), 1002),
            (.server, frame(11, key: key), .reservedOpcode(11), 1002),
            (.server, frame(15, key: key), .reservedOpcode(15), 1002),
            (.server, frame(1, [65]), .unmaskedFrame, 1002),
            (.client, frame(1, [65], key: key), .maskedFrame, 1002),
            (.server, frame(9, isFinal: false, key: key), .fragmentedControlFrame, 1002),
            (.server, frame(8, isFinal: false, key: key), .fragmentedControlFrame, 1002),
            (.server, [0x89, 0xFE], .controlFrameTooLong, 1002),
            (.server, [0x88, 0xFF], .controlFrameTooLong, 1002),
            (.client, [0x82, 0x7E, 0x00, 0x7D], .lengthNotMinimal, 1002),
            (.client, [0x82, 0x7F, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], .lengthNotMinimal, 1002),
            (.client, [0x82, 0x7F, 0x80, 0, 0, 0, 0, 0, 0, 0], .lengthOverflow, 1002),
            (.client, [0x82, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .lengthOverflow, 1002),
            (.client, [0x82, 0x7F, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .messageTooBig, 1009),
            (.client, [0x82, 0x7F, 0, 0, 0, 0, 0, 0x10, 0, 1], .messageTooBig, 1009),
        ]
        for (role, bytes, violation, code) in cases {
            let result = parse([bytes], role: role)
            #expect(result.violation == violation, "\(bytes)")
            #expect(result.frames.isEmpty)
            #expect(violation.closeCode.rawValue == code)
            #expect(parse(bytes.map { [$0] }, role: role).violation == violation, "byte by byte \(bytes)")
        }
    }

    @Test("the limit is enforced from the header, before a byte of the payload is kept")
    func limitFromTheHeader() throws {
        var parser = WebSocketFrameParser(role: .server, maximumPayloadSize: 1000)
        let bytes = frame(2, [UInt8](repeating: 0, count: 1001), key: key)
        parser.append(ByteBuffer(Array(bytes[..<3])))
        #expect(try parser.nextFrame() == nil)
        parser.append(ByteBuffer([bytes[3]]))
        #expect(throws: WebSocketViolation.messageTooBig) { try parser.nextFrame() }
        #expect(parser.bufferedBytes == 0)
    }

    @Test("a payload of exactly the limit passes, and control frames don't count against it")
    func limitIsInclusive() {
        let result = parse([frame(9, [1, 2, 3], key: key) + frame(2, [1, 2], key: key)], limit: 2)
        #expect(result.violation == nil)
        #expect(result.frames.count == 2)
        #expect(parse([frame(2, [1, 2, 3], key: key)], limit: 2).violation == .messageTooBig)
    }

    @Test("after a violation nothing more is parsed, and the same is thrown again")
    func violationIsFinal() {
        var parser = WebSocketFrameParser(role: .server, maximumPayloadSize: 100)
        parser.append(ByteBuffer(frame(3, key: key) + clientText("late")))
        #expect(throws: WebSocketViolation.reservedOpcode(3)) { try parser.nextFrame() }
        parser.append(ByteBuffer(clientText("later")))
        #expect(throws: WebSocketViolation.reservedOpcode(3)) { try parser.nextFrame() }
        #expect(parser.bufferedBytes == 0)
    }

    @Test("the bytes that were handed in stay as they were")
    func inputIsNotChanged() throws {
        let bytes = clientText("a text that is longer than one word")
        let whole = ByteBuffer(bytes)
        var parser = WebSocketFrameParser(role: .server, maximumPayloadSize: 100)
        parser.append(whole)
        #expect(try parser.nextFrame() != nil)
        #expect(whole.bytes == bytes)

        let pieces = [ByteBuffer(Array(bytes[..<10])), ByteBuffer(Array(bytes[10...]))]
        for piece in pieces {
            parser.append(piece)
            _ = try parser.nextFrame()
        }
        #expect(pieces.flatMap(\.bytes) == bytes)
    }

    @Test("payloads that are kept aren't changed by the frames that follow them")
    func payloadsAreIndependent() throws {
        var parser = WebSocketFrameParser(role: .server, maximumPayloadSize: 1000)
        var stream: [UInt8] = []
        let texts = (0..<50).map { "message number \($0) " + String(repeating: "x", count: $0) }
        for text in texts {
            stream += clientText(text)
        }
        var kept: [ByteBuffer] = []
        for start in stride(from: 0, to: stream.count, by: 7) {
            parser.append(ByteBuffer(Array(stream[start..<min(start + 7, stream.count)])))
            while let frame = try parser.nextFrame() {
                kept.append(frame.payload)
            }
        }
        #expect(kept.map { String(buffer: $0) } == texts)
    }

    @Test("random inputs neither trap nor depend on how they are cut", .computes)
    func randomInputs() {
        var generator = SeededGenerator(seed: 0x5EED)
        var frameCount = 0
        var violationCount = 0
        for _ in 0..<HostileInputs.perDecoder {
            let role: WebSocketRole = Bool.random(using: &generator) ? .server : .client
            let bytes = Self.plausibleBytes(for: role, using: &generator)
            let split = Int.random(in: 0...bytes.count, using: &generator)
            var whole = WebSocketFrameParser(role: role, maximumPayloadSize: 64)
            var halves = WebSocketFrameParser(role: role, maximumPayloadSize: 64)
            let expected = Self.drain(&whole, bytes[...])
            var (count, violation) = Self.drain(&halves, bytes[..<split])
            if violation == nil {
                let rest = Self.drain(&halves, bytes[split...])
                count += rest.0
                violation = rest.1
            }
            guard expected == (count, violation) else {
                Issue.record("\(bytes) cut at \(split): \(expected) became \((count, violation))")
                return
            }
            frameCount += count
            violationCount += violation == nil ? 0 : 1
        }
        // The inputs must reach both outcomes for this to mean anything.
        #expect(frameCount > HostileInputs.perDecoder / 20)
        #expect(violationCount > HostileInputs.perDecoder / 20)
    }

    private static let firstBytes: [UInt8] = [0x81, 0x82, 0x01, 0x80, 0x88, 0x89, 0x8A]
    private static let lengths: [UInt8] = [0, 1, 5, 126, 127]

    /// Up to three frames, most of them sound in most respects.
    private static func plausibleBytes(for role: WebSocketRole, using generator: inout SeededGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0...(generator.next() % 3) {
            let random = generator.next()
            let first = Int(random & 0x7)
            bytes.append(first < firstBytes.count ? firstBytes[first] : UInt8(truncatingIfNeeded: random >> 8))
            let choice = Int(random >> 16 & 0x7)
            let length = choice < lengths.count ? lengths[choice] : UInt8(random >> 24 & 0x7F)
            let isMasked = (role == .server) != (random >> 32 & 0xF == 0)
            bytes.append(length | (isMasked ? 0x80 : 0))
            let tail = generator.next()
            for position in 0..<(random >> 40 & 0xF) {
                bytes.append(position < 2 && length > 125 ? 0 : UInt8(truncatingIfNeeded: tail >> (4 * position)))
            }
        }
        return bytes
    }

    private static func drain(
        _ parser: inout WebSocketFrameParser,
        _ bytes: ArraySlice<UInt8>
    ) -> (Int, WebSocketViolation?) {
        parser.append(ByteBuffer(bytes: bytes))
        var count = 0
        do throws(WebSocketViolation) {
            while try parser.nextFrame() != nil {
                count += 1
            }
            return (count, nil)
        } catch {
            return (count, error)
        }
    }
}
