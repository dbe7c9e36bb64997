import NIOCore
import TestSupport
import Testing

@testable import WebSocketLink

@Suite("Message assembler")
struct MessageAssemblerTests {
    private func assemble(_ frames: [WebSocketFrame], limit: Int = 1000) throws -> [WebSocketInbound] {
        var assembler = WebSocketMessageAssembler(maximumMessageSize: limit)
        return try frames.compactMap { try assembler.accept($0) }
    }

    private func text(_ text: String, isFinal: Bool = true) -> WebSocketFrame {
        WebSocketFrame(isFinal: isFinal, opcode: .text, payload: ByteBuffer(string: text))
    }

    private func more(_ text: String, isFinal: Bool = true) -> WebSocketFrame {
        WebSocketFrame(isFinal: isFinal, opcode: .continuation, payload: ByteBuffer(string: text))
    }

    private func bytes(_ opcode: WebSocketOpcode, _ bytes: [UInt8], isFinal: Bool = true) -> WebSocketFrame {
        WebSocketFrame(isFinal: isFinal, opcode: opcode, payload: ByteBuffer(bytes))
    }

    @Test("a fragmented text message is delivered once, whole, with the control frames between its fragments before it")
    func fragments() throws {
        let inbound = try assemble([
            text("Hel", isFinal: false), bytes(.ping, [1]), more("", isFinal: false), bytes(.pong, []), more("lo"),
            text("next"),
        ])
        #expect(
            inbound == [
                .ping(ByteBuffer([1])), .pong(ByteBuffer()), .message(.text(ByteBuffer(string: "Hello"))),
                .message(.text(ByteBuffer(string: "next"))),
            ])
    }

    @Test("a character may be cut by fragments")
    func characterAcrossFragments() throws {
        let euro = Array("€".utf8)
        let inbound = try assemble([
            bytes(.text, [euro[0]], isFinal: false), bytes(.continuation, [euro[1]], isFinal: false),
            bytes(.continuation, [euro[2]]),
        ])
        #expect(inbound == [.message(.text(ByteBuffer(euro)))])
    }

    @Test("binary messages may be anything, fragmented or not")
    func binary() throws {
        let inbound = try assemble([
            bytes(.binary, [0xFF, 0xC0]), bytes(.binary, [0xFF], isFinal: false), bytes(.continuation, [0x80]),
        ])
        #expect(
            inbound == [.message(.binary(ByteBuffer([0xFF, 0xC0]))), .message(.binary(ByteBuffer([0xFF, 0x80])))])
    }

    @Test("a continuation without a beginning is a violation, also behind a finished message")
    func unexpectedContinuation() {
        #expect(throws: WebSocketViolation.unexpectedContinuation) { try assemble([more("x")]) }
        #expect(throws: WebSocketViolation.unexpectedContinuation) {
            try assemble([text("a", isFinal: false), more("b"), more("c")])
        }
    }

    @Test("a message within a message is a violation")
    func interruptedMessage() {
        #expect(throws: WebSocketViolation.interruptedMessage) {
            try assemble([text("a", isFinal: false), text("b")])
        }
        #expect(throws: WebSocketViolation.interruptedMessage) {
            try assemble([text("a", isFinal: false), bytes(.binary, [1], isFinal: false)])
        }
    }

    @Test("the limit holds for a message whatever the number of its fragments")
    func totalLimit() throws {
        let fragments = [text("1234", isFinal: false), more("5678", isFinal: false)]
        #expect(try assemble(fragments + [more("90")], limit: 10).count == 1)
        #expect(throws: WebSocketViolation.messageTooBig) { try assemble(fragments + [more("901")], limit: 10) }
        #expect(throws: WebSocketViolation.messageTooBig) { try assemble([text("12345678901")], limit: 10) }

        var assembler = WebSocketMessageAssembler(maximumMessageSize: 10)
        _ = try assembler.accept(fragments[0])
        #expect(assembler.remainingBytes == 6)
        _ = try assembler.accept(more(""))
        #expect(assembler.remainingBytes == 10)
    }

    @Test(
        "text that isn't UTF-8 is refused with 1007",
        arguments: [
            [0xFF], [0x80], [0xC0, 0xAF], [0xC1, 0x81], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80],
            [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82], [0x41, 0xE2, 0x28, 0xA1],
        ] as [[UInt8]])
    func invalidText(payload: [UInt8]) {
        #expect(throws: WebSocketViolation.invalidText) { try assemble([bytes(.text, payload)]) }
        #expect(throws: WebSocketViolation.invalidText) {
            try assemble(
                payload.map { bytes($0 == payload[0] ? .text : .continuation, [$0], isFinal: false) } + [more("")])
        }
        #expect(WebSocketViolation.invalidText.closeCode.rawValue == 1007)
    }

    @Test("the fragment that breaks the text is refused, not only the last one")
    func earlyRefusal() {
        #expect(throws: WebSocketViolation.invalidText) { try assemble([bytes(.text, [0xFF], isFinal: false)]) }
    }

    @Test("Close bodies: none, a code, a code and a reason")
    func validClose() throws {
        #expect(try assemble([bytes(.close, [])]) == [.close(code: nil, reason: "")])
        #expect(try assemble([bytes(.close, [0x03, 0xE8])]) == [.close(code: .normalClosure, reason: "")])
        #expect(
            try assemble([bytes(.close, [0x03, 0xE9] + Array("tschüss".utf8))])
                == [.close(code: .goingAway, reason: "tschüss")])
    }

    @Test("a Close body of one byte is a violation")
    func truncatedClose() {
        #expect(throws: WebSocketViolation.truncatedCloseCode) { try assemble([bytes(.close, [0x03])]) }
        #expect(WebSocketViolation.truncatedCloseCode.closeCode.rawValue == 1002)
    }

    @Test("only the codes that may be on the wire are accepted")
    func closeCodes() throws {
        let allowed = Set<UInt16>([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014])
        for number in UInt16(0)...5100 {
            let frame = bytes(.close, [UInt8(number >> 8), UInt8(number & 0xFF)])
            if allowed.contains(number) || (3000...4999).contains(number) {
                #expect(try assemble([frame]) == [.close(code: WebSocketCloseCode(rawValue: number), reason: "")])
            } else {
                #expect(throws: WebSocketViolation.invalidCloseCode(number)) { try assemble([frame]) }
            }
        }
        #expect(WebSocketViolation.invalidCloseCode(999).closeCode.rawValue == 1002)
    }

    @Test("a close reason that isn't UTF-8 is refused with 1007")
    func invalidReason() {
        #expect(throws: WebSocketViolation.invalidCloseReason) { try assemble([bytes(.close, [0x03, 0xE8, 0xC3])]) }
        #expect(WebSocketViolation.invalidCloseReason.closeCode.rawValue == 1007)
    }

    @Test("every violation's sentence fits into a Close frame")
    func sentencesFit() {
        let all: [WebSocketViolation] = [
            .reservedBitsSet, .reservedOpcode(15), .unmaskedFrame, .maskedFrame, .fragmentedControlFrame,
            .controlFrameTooLong, .lengthNotMinimal, .lengthOverflow, .messageTooBig, .unexpectedContinuation,
            .interruptedMessage, .invalidText, .truncatedCloseCode, .invalidCloseCode(.max), .invalidCloseReason,
        ]
        for violation in all {
            #expect(violation.description.utf8.count <= 123)
        }
    }

    @Test(
        "the incremental validator agrees with the standard library on random bytes, however they are cut", .computes)
    func validatorAgainstStandardLibrary() {
        var generator = SeededGenerator(seed: 8)
        let interesting: [UInt8] = [
            0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0,
            0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
        ]
        var validCount = 0
        for _ in 0..<50_000 {
            var bytes = [UInt8](repeating: 0x61, count: Int.random(in: 0...12, using: &generator))
            for _ in 0..<Int.random(in: 0...4, using: &generator) {
                bytes.append(interesting[Int.random(in: 0..<interesting.count, using: &generator)])
            }
            let isValid = String(validating: bytes, as: UTF8.self) != nil
            validCount += isValid ? 1 : 0
            let split = Int.random(in: 0...bytes.count, using: &generator)
            var validator = UTF8Validator()
            let accepted =
                validator.consume(ByteBuffer(bytes: bytes[..<split]))
                && validator.consume(ByteBuffer(bytes: bytes[split...])) && validator.isAtBoundary
            #expect(accepted == isValid, "\(bytes)")
        }
        #expect(validCount > 5_000)
        #expect(validCount < 45_000)
    }
}
