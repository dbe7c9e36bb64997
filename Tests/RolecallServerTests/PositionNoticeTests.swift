import ModelStore
import NIOCore
import RolecallProtocol
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

@Suite("How far the log is, to whom nothing of it was told")
struct PositionNoticeTests {
    private func positions(_ socket: TestSocket) async -> [Position] {
        await socket.received.compactMap { item in
            guard case .event("position", let arguments) = item else { return nil }
            return arguments.first?.stringValue.flatMap(Position.init)
        }
    }

    @Test("whoever was sent nothing learns the position, once; whoever was sent an event has it from there")
    func notices() async throws {
        try await LiveServer.run(configure: { $0.positionInterval = .milliseconds(50) }) { server in
            let guest = try await server.connect()
            _ = try await guest.identity(.anonymous)
            let admin = try await server.connect(
                auth: ["token": .string(try await server.token(for: "admin@example.com"))])
            _ = try await admin.identity(.auth)
            for round in 1...3 {
                let position = try await server.addThing("secret \(round)", adminOnly: true)
                let told = try await guest.first { item -> Position? in
                    guard case .event("position", let arguments) = item else { return nil }
                    let told = arguments.first?.stringValue.flatMap(Position.init)
                    return told.flatMap { $0.sequence >= position.sequence ? $0 : nil }
                }
                #expect(told == position)
                try await admin.thing("secret \(round)")
            }
            #expect(await positions(guest).count == 3)
            #expect(await positions(admin).isEmpty)
        }
    }
}
