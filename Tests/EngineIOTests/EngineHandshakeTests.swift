import EngineIO
import NIOCore
import Testing
import WireJSON

@Suite struct EngineHandshakeTests {
    @Test("fields that not every server sends may be absent or null, and unknown ones may be there")
    func leniency() throws {
        let expected = EngineHandshake(sid: "a", upgrades: [], pingInterval: 300, pingTimeout: 200)
        #expect(expected.maxPayload == 1_000_000)
        let least: JSON = ["sid": "a", "pingInterval": 300, "pingTimeout": 200]
        #expect(try EngineHandshake(json: least) == expected)
        let nulls: JSON = [
            "sid": "a", "upgrades": nil, "pingInterval": 300.0, "pingTimeout": 200, "maxPayload": nil, "more": [1],
        ]
        #expect(try EngineHandshake(json: nulls) == expected)
    }

    @Test("values at the ends of their ranges are taken")
    func ranges() throws {
        let least = EngineHandshake(sid: "a", upgrades: [], pingInterval: 1, pingTimeout: 1, maxPayload: 1)
        #expect(try EngineHandshake(json: least.json) == least)
        let most = EngineHandshake(
            sid: String(repeating: "s", count: 256),
            upgrades: ["websocket", "webtransport"],
            pingInterval: 2_147_483_647,
            pingTimeout: 2_147_483_647,
            maxPayload: 9_007_199_254_740_991
        )
        #expect(try EngineHandshake(json: most.json) == most)
    }

    @Test(
        "a handshake with a field of the wrong form or range is refused, and the field named",
        arguments: [
            ("sid", nil, "sid is no string of 1 to 256 bytes"),
            ("sid", 7, "sid is no string of 1 to 256 bytes"),
            ("sid", "", "sid is no string of 1 to 256 bytes"),
            ("sid", .string(String(repeating: "s", count: 257)), "sid is no string of 1 to 256 bytes"),
            ("upgrades", "websocket", "upgrades is no array of strings"),
            ("upgrades", ["websocket", 1], "upgrades is no array of strings"),
            ("pingInterval", nil, "pingInterval is no integer from 1 to 2147483647"),
            ("pingInterval", 0, "pingInterval is no integer from 1 to 2147483647"),
            ("pingInterval", -1, "pingInterval is no integer from 1 to 2147483647"),
            ("pingInterval", 1.5, "pingInterval is no integer from 1 to 2147483647"),
            ("pingInterval", "25000", "pingInterval is no integer from 1 to 2147483647"),
            ("pingTimeout", 2_147_483_648, "pingTimeout is no integer from 1 to 2147483647"),
            ("pingTimeout", 9_223_372_036_854_775_807, "pingTimeout is no integer from 1 to 2147483647"),
            ("pingTimeout", 1e300, "pingTimeout is no integer from 1 to 2147483647"),
            ("maxPayload", 0, "maxPayload is no positive integer"),
            ("maxPayload", -5, "maxPayload is no positive integer"),
            ("maxPayload", "1e6", "maxPayload is no positive integer"),
            ("maxPayload", 9_007_199_254_740_992, "maxPayload is no positive integer"),
        ] as [(String, JSON, String)]
    )
    func refuses(field: String, value: JSON, fault: String) throws {
        var handshake = try #require(
            EngineHandshake(sid: "a", upgrades: [], pingInterval: 1, pingTimeout: 1).json.objectValue
        )
        handshake[field] = value
        #expect(throws: EngineProtocolError.invalidHandshake(fault)) {
            try EngineHandshake(json: .object(handshake))
        }
        #expect(throws: EngineProtocolError.invalidHandshake(fault)) {
            try EnginePacket(decodingText: ByteBuffer(string: "0\(handshake)"))
        }
    }
}
