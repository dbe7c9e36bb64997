import Foundation
import Testing

@Suite("The connection on the screen", .serialized, .timeLimit(.minutes(2)))
struct ConnectionScreenTests {
    @Test("a server that dies and comes back is seen counting down, and nothing that happened meanwhile is missed")
    func outage() async throws {
        let server = try await Server()
        let desk = try await Desk(server)
        try await desk.startAs("admin@example.com", "admin")
        try await server.add("before")
        try await desk.expect("before")
        server.kill()
        try await desk.expect("offline")
        try await desk.expect("(r now)")
        #expect(try await holds { try await desk.rows()[0].contains("admin@example.com (admin)") })
        try await server.add("meanwhile")
        try await server.start()
        try await desk.press("r")
        try await desk.expect("meanwhile")
        try await desk.expect("nothing missed")
        try await desk.expect("online")
        let rows = try await desk.restingRows()
        let back = try #require(rows.firstIndex { $0.contains("reconnected after") })
        let missed = try #require(rows.firstIndex { $0.contains("meanwhile") })
        #expect(back < missed)
        #expect(rows.filter { $0.contains("before") }.count == 1)
        try await desk.press("F5")
        let isAgain = try await holds { try await desk.rows().filter { $0.contains("nothing missed") }.count == 2 }
        #expect(isAgain)
    }

    @Test("the first screen stands without any server, which can come later")
    func noServer() async throws {
        let server = try await Server()
        server.kill()
        let desk = try await Desk(server, columns: 60, rows: 18)
        try await desk.start(expecting: "stay signed in")
        try await desk.expect("offline · retry")
        #expect(try await holds { try await desk.rows()[0].contains("unassociated") })
        try await server.start()
        try await desk.press("F5")
        try await desk.expect("online")
    }

    @Test("where there is no terminal, the events come as lines")
    func lines() async throws {
        let server = try await Server()
        for start in ["", "TERM=dumb "] {
            let desk = try await Desk(server)
            let pipe = start.isEmpty ? " | cat" : ""
            try await desk.type("\(start)'\(Programs.client().path)'\(pipe)\n")
            try await desk.expect("unassociated (anonymous)")
            #expect(try await desk.flags().hasPrefix("0"))
            try await desk.press("C-c")
        }
    }
}
