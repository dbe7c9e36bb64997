import Foundation
import Testing

@Suite("The connection on the screen", .serialized, .timeLimit(.minutes(2)))
struct ConnectionScreenTests {
    @Test("a server that dies and comes back is seen counting down, and nothing that happened meanwhile is missed")
    func outage() throws {
        let server = try Server()
        let desk = try Desk(server)
        try desk.startAs("admin@example.com", "admin")
        try server.add("before")
        try desk.expect("before")
        server.kill()
        try desk.expect("offline")
        try desk.expect("(r now)")
        #expect(try desk.rows()[0].contains("admin@example.com (admin)"))
        try server.add("meanwhile")
        try server.start()
        try desk.press("r")
        try desk.expect("meanwhile")
        try desk.expect("nothing missed")
        try desk.expect("online")
        let rows = try desk.rows()
        let back = try #require(rows.firstIndex { $0.contains("reconnected after") })
        let missed = try #require(rows.firstIndex { $0.contains("meanwhile") })
        #expect(back < missed)
        #expect(rows.filter { $0.contains("before") }.count == 1)
        try desk.press("F5")
        let isAgain = try holds { try desk.rows().filter { $0.contains("nothing missed") }.count == 2 }
        #expect(isAgain, "\(desk.screen)")
    }

    @Test("the first screen stands without any server, which can come later")
    func noServer() throws {
        let server = try Server()
        server.kill()
        let desk = try Desk(server, columns: 60, rows: 18)
        try desk.start(expecting: "stay signed in")
        try desk.expect("offline · retry")
        #expect(try desk.rows()[0].contains("unassociated"))
        try server.start()
        try desk.press("F5")
        try desk.expect("online")
    }

    @Test("where there is no terminal, the events come as lines")
    func lines() throws {
        let server = try Server()
        for start in ["", "TERM=dumb "] {
            let desk = try Desk(server)
            let pipe = start.isEmpty ? " | cat" : ""
            try desk.type("\(start)'\(Programs.client().path)'\(pipe)\n")
            try desk.expect("unassociated (anonymous)")
            #expect(try desk.flags().hasPrefix("0"))
            try desk.press("C-c")
        }
    }
}
