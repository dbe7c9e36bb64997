import Foundation
import NIOCore
import RolecallProtocol
import SocketIOClient
import SocketIOServer
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

@Suite("A server that is asked to end")
struct DrainTests {
    @Test("sockets are told, have what was sent to them, and are let go one after the other; nobody new comes in")
    func drains() async throws {
        try await LiveServer.run { server in
            let token = try await server.token(for: "test@example.com")
            var sockets: [TestSocket] = []
            for _ in 0..<20 {
                let socket = try await server.connect(auth: ["token": .string(token)])
                _ = try await socket.identity(.auth)
                sockets.append(socket)
            }
            await server.told(try await server.addThing("the last word"))
            let window = TimeAmount.milliseconds(600)
            let start = ContinuousClock.now
            async let drained: Void = server.server.drain(over: window, patience: .seconds(5))
            while !server.server.engine.isDraining { await Task.yield() }
            await #expect(throws: SocketIOConnectError.self) { _ = try await server.connect() }
            #expect(try await server.request("GET", "/readyz").status == 503)
            #expect(try await server.request("GET", "/healthz").status == 200)
            await drained
            #expect(ContinuousClock.now - start >= .milliseconds(500), "They are let go over the whole window.")
            for socket in sockets {
                try await socket.over()
                #expect(await socket.thingNames == ["the last word"])
            }
            #expect(await server.server.socketCount() == 0)
        }
    }
}
