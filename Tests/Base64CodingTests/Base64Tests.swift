import Base64Coding
import Foundation
import TestSupport
import Testing

@Suite("Base64")
struct Base64Tests {
    @Test(
        "texts are those of RFC 4648, section 10",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func published(bytes: String, text: String) {
        let unpadded = text.filter { $0 != "=" }
        #expect(Base64.encode(bytes.utf8) == text)
        #expect(Base64.encode(bytes.utf8, isPadded: false) == unpadded)
        #expect(Base64.decode(text) == Array(bytes.utf8))
        #expect(Base64.decode(unpadded) == Array(bytes.utf8))
    }

    @Test("the alphabets differ in their last two digits, and neither is read as the other")
    func alphabets() {
        let bytes: [UInt8] = [0xFB, 0xEF, 0xFF]
        #expect(Base64.encode(bytes) == "++//")
        #expect(Base64.encode(bytes, .urlSafe) == "--__")
        #expect(Base64.decode("++//") == bytes)
        #expect(Base64.decode("--__", .urlSafe) == bytes)
        #expect(Base64.decode("--__") == nil)
        #expect(Base64.decode("++//", .urlSafe) == nil)
    }

    @Test("any bytes are written as Foundation writes them, and read back")
    func anyBytes() {
        var random = Seeded(0xB64)
        for length in 0..<300 {
            let bytes = (0..<length).map { _ in UInt8(random.below(256)) }
            let text = Data(bytes).base64EncodedString()
            #expect(Base64.encode(bytes) == text)
            #expect(Base64.encode(AnySequence(bytes)) == text)
            #expect(Base64.encodedCount(of: length) == text.utf8.count)
            #expect(Base64.decode(text) == bytes)
            let short = Base64.encode(bytes, .urlSafe, isPadded: false)
            #expect(Base64.encodedCount(of: length, isPadded: false) == short.utf8.count)
            #expect(Base64.decode(short, .urlSafe) == bytes)
        }
    }

    @Test(
        "what is not base64 is not read",
        arguments: ["A", "AAAAA", "AA=", "A===", "====", "=", "AQI=BA==", "AQ ID", "AQID\n", "AQI\u{E9}", "AQ\0D"])
    func malformed(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test("bits that the last digit has to spare are ignored")
    func spareBits() {
        #expect(Base64.decode("Zh") == Base64.decode("Zg"))
        #expect(Base64.decode("Zm9=") == Base64.decode("Zm8="))
    }
}
