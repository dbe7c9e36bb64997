import NIOCore
import Testing

@testable import WebSocketLink

@Suite("Frame writer")
struct FrameWriterTests {
    @Test("a server's frames are the RFC's bytes")
    func serverFrames() {
        var output = ByteBuffer()
        WebSocketFrameWriter.appendText(ByteBuffer(string: "Hello"), to: &output)
        WebSocketFrameWriter.appendBinary(ByteBuffer([1, 2]), to: &output)
        WebSocketFrameWriter.appendPing(ByteBuffer([3]), to: &output)
        WebSocketFrameWriter.appendPong(ByteBuffer(), to: &output)
        WebSocketFrameWriter.appendClose(code: .goingAway, reason: "bye", to: &output)
        let expected: [UInt8] =
            [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F] + [0x82, 0x02, 1, 2] + [0x89, 0x01, 3] + [0x8A, 0x00]
            + [0x88, 0x05, 0x03, 0xE9, 0x62, 0x79, 0x65]
        #expect(output.bytes == expected)
    }

    @Test("a client's frame is masked as in the RFC's example")
    func clientFrame() {
        var output = ByteBuffer()
        WebSocketFrameWriter.appendText(ByteBuffer(string: "Hello"), to: &output, maskingKey: 0x37FA_213D)
        #expect(output.bytes == [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58])
    }

    @Test("every length is written in its shortest form", arguments: [0, 1, 8, 125, 126, 65535, 65536, 70001])
    func lengths(length: Int) {
        let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
        #expect(WebSocketFrameWriter.binaryFrame(ByteBuffer(payload)).bytes == frame(2, payload))
        var masked = ByteBuffer()
        WebSocketFrameWriter.appendBinary(ByteBuffer(payload), to: &masked, maskingKey: 0x37FA_213D)
        #expect(masked.bytes == frame(2, payload, key: key))
    }

    @Test("a shared text frame is one whole frame")
    func sharedFrame() {
        #expect(WebSocketFrameWriter.textFrame(ByteBuffer(string: "Grüße")).bytes == frame(1, Array("Grüße".utf8)))
    }

    @Test("masking starts with the key's first byte at every alignment of source and length")
    func maskingAlignment() {
        for start in 0..<9 {
            for length in 0..<40 {
                let payload = (0..<(start + length)).map { UInt8(truncatingIfNeeded: $0 &* 7) }
                var source = ByteBuffer(payload)
                source.moveReaderIndex(forwardBy: start)
                var output = ByteBuffer()
                WebSocketFrameWriter.appendBinary(source, to: &output, maskingKey: 0x37FA_213D)
                #expect(output.bytes == frame(2, Array(payload[start...]), key: key))
            }
        }
    }

    @Test("a close reason is cut at a whole character that fits")
    func longReason() {
        var output = ByteBuffer()
        WebSocketFrameWriter.appendClose(code: .normalClosure, reason: String(repeating: "ü", count: 100), to: &output)
        #expect(output.bytes == serverClose(1000, String(repeating: "ü", count: 61)))
    }

    @Test(
        "a code that must not be sent leaves the body empty", arguments: [0, 999, 1004, 1005, 1006, 1015, 2999, 5000])
    func forbiddenCode(code: Int) {
        var output = ByteBuffer()
        WebSocketFrameWriter.appendClose(code: WebSocketCloseCode(rawValue: UInt16(code)), reason: "x", to: &output)
        #expect(output.bytes == [0x88, 0x00])
    }

    @Test("a ping carries no more than 125 bytes")
    func longPing() {
        var output = ByteBuffer()
        WebSocketFrameWriter.appendPing(ByteBuffer([UInt8](repeating: 1, count: 200)), to: &output)
        #expect(output.bytes == frame(9, [UInt8](repeating: 1, count: 125)))
    }

    @Test("masking keys differ from frame to frame")
    func randomKeys() {
        #expect(Set((0..<100).map { _ in WebSocketFrameWriter.randomMaskingKey() }).count > 90)
    }
}
