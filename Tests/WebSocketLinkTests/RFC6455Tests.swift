import NIOCore
import TestSupport
import Testing

@testable import WebSocketLink

@Suite("RFC 6455 to the letter")
struct RFC6455Tests {
    // MARK: Section 5.2

    /// What the first two bytes of a frame already forbid, said without the code under test and in its order.
    private func fault(_ first: UInt8, _ second: UInt8, _ role: WebSocketRole, _ limit: UInt8) -> WebSocketViolation? {
        let (opcode, length) = (first & 15, second & 127)
        if first & 0x70 > 0 { return .reservedBitsSet }
        if ![0, 1, 2, 8, 9, 10].contains(opcode) { return .reservedOpcode(opcode) }
        if opcode >= 8, first < 128 { return .fragmentedControlFrame }
        if role == .server, second < 128 { return .unmaskedFrame }
        if role == .client, second >= 128 { return .maskedFrame }
        if opcode >= 8, length > 125 { return .controlFrameTooLong }
        if opcode < 8, length <= 125, length > limit { return .messageTooBig }
        return nil
    }

    @Test(
        "every first two bytes of a frame are judged as the RFC says, at once", .computes,
        arguments: [WebSocketRole.server, .client])
    func everyHeader(role: WebSocketRole) throws {
        for first in UInt8.min ... .max {
            for second in UInt8.min ... .max {
                var parser = WebSocketFrameParser(role: role, maximumPayloadSize: 100)
                parser.append(ByteBuffer([first, second]))
                var violation: WebSocketViolation?
                do throws(WebSocketViolation) {
                    // Only a client's view of an empty frame has it whole by now.
                    let isWhole = try parser.nextFrame() != nil
                    if isWhole != (role == .client && second == 0) { Issue.record("\(first) \(second)") }
                } catch {
                    violation = error
                }
                if violation != fault(first, second, role, 100) {
                    Issue.record("\(first) \(second) is \(String(describing: violation))")
                }
            }
        }
    }

    @Test("a length in more bytes than it needs is refused, in every form and at each border, by both ends")
    func minimalLengths() {
        for (role, mask) in [(WebSocketRole.server, UInt8(0x80)), (.client, 0)] {
            func fault(_ form: UInt8, _ length: UInt64) -> WebSocketViolation? {
                let size = form == 126 ? 2 : 8
                let bytes = (0..<size).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64(size - 1 - $0))) }
                var parser = WebSocketFrameParser(role: role, maximumPayloadSize: .max)
                parser.append(ByteBuffer([0x82, form | mask] + bytes))
                do throws(WebSocketViolation) {
                    _ = try parser.nextFrame()
                    return nil
                } catch {
                    return error
                }
            }
            for length: UInt64 in [0, 1, 124, 125] { #expect(fault(126, length) == .lengthNotMinimal) }
            for length: UInt64 in [126, 127, 65_535] { #expect(fault(126, length) == nil) }
            for length: UInt64 in [0, 125, 126, 65_534, 65_535] { #expect(fault(127, length) == .lengthNotMinimal) }
            for length: UInt64 in [65_536, 1 << 32, (1 << 63) - 1] { #expect(fault(127, length) == nil) }
            for length: UInt64 in [1 << 63, .max] { #expect(fault(127, length) == .lengthOverflow) }
        }
    }

    // MARK: Section 5.5

    @Test("control frames of up to 125 bytes are taken, between fragments, too", arguments: [0, 1, 124, 125])
    func controlFrames(length: Int) throws {
        let payload = (0..<length).map { UInt8($0) }
        var stream = clientText("a", isFinal: false)
        for opcode: UInt8 in [9, 10] { stream += frame(opcode, payload, key: key) }
        stream += frame(0, [98], key: key)
        let inbound = try read([stream]).get()
        #expect(
            inbound == [
                .ping(ByteBuffer(payload)), .pong(ByteBuffer(payload)), .message(.text(ByteBuffer(string: "ab"))),
            ])
    }

    // MARK: Sections 5.4 and 8.1

    /// What a server makes of a stream that comes in pieces: all that came before the violation, if any.
    private func read(_ pieces: [[UInt8]], limit: Int = 1 << 16) -> Result<[WebSocketInbound], WebSocketViolation> {
        var parser = WebSocketFrameParser(role: .server, maximumPayloadSize: limit)
        var assembler = WebSocketMessageAssembler(maximumMessageSize: limit)
        var inbound: [WebSocketInbound] = []
        for piece in pieces {
            parser.append(ByteBuffer(piece))
            do throws(WebSocketViolation) {
                while let frame = try parser.nextFrame() {
                    if let next = try assembler.accept(frame) { inbound.append(next) }
                    parser.maximumPayloadSize = assembler.remainingBytes
                }
            } catch {
                return .failure(error)
            }
        }
        return .success(inbound)
    }

    /// A random valid stream, and what is in it.
    private func stream(from random: inout Seeded) -> (bytes: [UInt8], inbound: [WebSocketInbound]) {
        var (bytes, inbound): ([UInt8], [WebSocketInbound]) = ([], [])
        func mask() -> [UInt8] { (0..<4).map { _ in UInt8(random.below(256)) } }
        func control() {
            let payload = (0..<random.below(12)).map { _ in UInt8(random.below(256)) }
            let isPing = random.below(2) == 0
            bytes += frame(isPing ? 9 : 10, payload, key: mask())
            inbound.append(isPing ? .ping(ByteBuffer(payload)) : .pong(ByteBuffer(payload)))
        }
        for _ in 0...random.below(3) {
            let isText = random.below(2) == 0
            let words = ["a", "é", "€", "🎲", "\u{0}", "plain text of some length "]
            let text = (0..<random.below(9)).map { _ in words[random.below(words.count)] }.joined()
            // Now and then one that needs the second form of lengths.
            let size = random.below(8) == 0 ? 120 + random.below(12) : random.below(40)
            let payload = isText ? Array(text.utf8) : (0..<size).map { _ in UInt8(random.below(256)) }
            var (rest, opcode) = (payload[...], UInt8(isText ? 1 : 2))
            for _ in 0..<random.below(4) {
                let fragment = rest.prefix(random.below(rest.count + 1))
                bytes += frame(opcode, Array(fragment), isFinal: false, key: mask())
                (rest, opcode) = (rest.dropFirst(fragment.count), 0)
                if random.below(3) == 0 { control() }
            }
            bytes += frame(opcode, Array(rest), key: mask())
            inbound.append(.message(isText ? .text(ByteBuffer(payload)) : .binary(ByteBuffer(payload))))
            if random.below(4) == 0 { control() }
        }
        if random.below(4) == 0 {
            bytes += frame(8, [0x03, 0xE8] + Array("bye".utf8), key: mask())
            inbound.append(.close(code: .normalClosure, reason: "bye"))
        }
        return (bytes, inbound)
    }

    @Test("random valid streams mean the same at every split point, and byte by byte", .computes)
    func everySplitPoint() throws {
        var random = Seeded(0x6455)
        for _ in 0..<150 {
            let (bytes, inbound) = stream(from: &random)
            for split in 0...bytes.count {
                let parts = [Array(bytes[..<split]), Array(bytes[split...])]
                if read(parts) != .success(inbound) { Issue.record("\(bytes) at \(split): \(read(parts))") }
            }
            #expect(read(bytes.map { [$0] }) == .success(inbound))
            // What is cut off is waited for, never made up.
            let beginning = try read([Array(bytes[..<random.below(bytes.count)])]).get()
            #expect(inbound.starts(with: beginning) && beginning.count < inbound.count)
        }
    }

    @Test("a fragmented text is refused with the first fragment that no valid text can begin with, and not before")
    func failsFast() throws {
        let endings: [[UInt8]] = [[], [0x80], [0x8F], [0xA0], [0x90]]
            .flatMap { first in first.isEmpty ? [[]] : [first, first + [0x80], first + [0x80, 0x80]] }
        func canBeginText(_ bytes: [UInt8]) -> Bool {
            endings.contains { String(validating: bytes + $0, as: UTF8.self) != nil }
        }
        let interesting: [UInt8] = [
            0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xE0, 0xE2, 0xED, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF,
        ]
        var random = Seeded(0x0007)
        var failures = 0
        for _ in 0..<3_000 {
            let payload = (0..<1 + random.below(5)).map { _ in interesting[random.below(interesting.count)] }
            var assembler = WebSocketMessageAssembler(maximumMessageSize: 100)
            for (index, byte) in payload.enumerated() {
                let next = WebSocketFrame(
                    isFinal: false, opcode: index == 0 ? .text : .continuation, payload: ByteBuffer([byte]))
                let isAccepted = accepts(next, &assembler)
                let expected = canBeginText(Array(payload[...index]))
                if isAccepted != expected { Issue.record("\(payload) at \(index)") }
                guard isAccepted else {
                    failures += 1
                    break
                }
            }
        }
        #expect(failures > 500)
    }

    /// Whether a frame is no violation; as a fragment it has no result of its own.
    private func accepts(_ frame: WebSocketFrame, _ assembler: inout WebSocketMessageAssembler) -> Bool {
        do throws(WebSocketViolation) {
            _ = try assembler.accept(frame)
            return true
        } catch {
            return false
        }
    }
}
