import TestSupport
import Testing

@Suite("Messages on a WebSocket", .blocks)
struct WebSocketMessageTests {
    @Test("an event comes back with its arguments as they were")
    func plain() throws {
        try withFixture { fixture in
            let socket = try fixture.webSocket().enter()
            try socket.send(#"42["message",1,"2",{"3":[true]}]"#)
            #expect(try socket.text() == #"42["message-back",1,"2",{"3":[true]}]"#)
        }
    }
}
