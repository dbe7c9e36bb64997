import RolecallProtocol
import Testing
import WireJSON

@testable import RolecallClient

@Suite("OutputLine")
struct OutputLineTests {
    private func text(_ line: OutputLine) -> String { String(decoding: line.jsonBytes, as: UTF8.self) }

    @Test("each line is one JSON object whose first member is its kind")
    func lines() throws {
        let server = ServerOrigin.default
        let p5 = "00000000abcd-0000000000000005"
        let table: [(OutputLine, String)] = [
            (
                .state(.connecting(attempt: 2), server: server),
                #"{"kind":"state","state":"connecting","server":"http://127.0.0.1:9000","attempt":2}"#
            ),
            (
                .state(.online(socketID: "S"), server: server),
                #"{"kind":"state","state":"online","server":"http://127.0.0.1:9000","socket":"S"}"#
            ),
            (
                .state(.offline(reason: "Gone.", retryIn: .milliseconds(1234), attempt: 1), server: server),
                #"{"kind":"state","state":"offline","server":"http://127.0.0.1:9000","reason":"Gone.","retryIn":1.234,"attempt":1}"#
            ),
            (
                .state(.closed(reason: "Done."), server: server),
                #"{"kind":"state","state":"closed","server":"http://127.0.0.1:9000","reason":"Done."}"#
            ),
            (
                .identity(identity(nil, epoch: 3, reason: .logout), position(5)),
                #"{"kind":"identity","socket":{"id":"S1","address":"127.0.0.1:5000"},"user":null,"epoch":3,"expiresAt":null,"models":["thing"],"reason":"logout","position":"\#(p5)"}"#
            ),
            (
                .event(event(5, folded: 2)),
                #"{"kind":"event","event":"thing:save","model":"thing","op":"updated","row":{"_id":12,"name":"boiler 3","active":true},"at":"2026-11-22T13:45:01.123Z","by":{"_id":1,"name":"Ann"},"changed":["active"],"folded":2,"position":"\#(p5)"}"#
            ),
            (
                .event(event(5, .hidden, row: ["_id": 12], by: nil)),
                #"{"kind":"event","event":"thing:remove","model":"thing","op":"hidden","row":{"_id":12},"at":"2026-11-22T13:45:01.123Z","by":null,"position":"\#(p5)"}"#
            ),
            (.other(name: "degraded", arguments: [nil]), #"{"kind":"event","event":"degraded","arguments":[null]}"#),
            (
                .gap(Gap(after: nil, before: position(5), reason: .overflow)),
                #"{"kind":"gap","after":null,"before":"\#(p5)","reason":"overflow"}"#
            ),
            (
                .expiring(Timestamp(milliseconds: 0)), #"{"kind":"expiring","expiresAt":"1970-01-01T00:00:00.000Z"}"#
            ),
            (
                .presence(try #require(Presence(json: presence(ann)))),
                #"{"kind":"presence","user":{"_id":1,"name":"Ann","role":"user"},"sockets":1,"state":"joined"}"#
            ),
            (
                .socket(try #require(SocketRecord(json: ["id": "S", "user": nil, "new": true]))),
                #"{"kind":"socket","id":"S","user":null,"new":true}"#
            ),
            (
                .kicked(socket: "S", user: nil, closes: true),
                #"{"kind":"kicked","socket":"S","user":null,"closed":true}"#
            ),
            (
                .error(code: "forbidden", message: "No.", field: "name"),
                #"{"kind":"error","error":"forbidden","message":"No.","field":"name"}"#
            ),
            (.error(code: "x", message: "No.", field: nil), #"{"kind":"error","error":"x","message":"No."}"#),
            (
                .acknowledgement(command: "logout", answer: ["data": "un-registered"]),
                #"{"kind":"acknowledgement","command":"logout","answer":{"data":"un-registered"}}"#
            ),
            (
                .row(model: "thing", ["_id": 1], position: p5),
                #"{"kind":"row","model":"thing","row":{"_id":1},"position":"\#(p5)"}"#
            ),
            (.removed(model: "thing", key: 12), #"{"kind":"removed","model":"thing","_id":12}"#),
            (
                .login(user: ann.json, expiresAt: nil, server: server, profile: .default),
                #"{"kind":"login","user":{"_id":1,"email":"ann@example.org","name":"Ann","role":"user"},"expiresAt":null,"server":"http://127.0.0.1:9000","profile":"default"}"#
            ),
            (
                .logout(hadToken: true, revoked: false, server: server, profile: .default),
                #"{"kind":"logout","hadToken":true,"revoked":false,"server":"http://127.0.0.1:9000","profile":"default"}"#
            ),
        ]
        for (line, expected) in table {
            #expect(text(line) == expected)
            #expect(try JSON(parsing: text(line)).objectValue?.first?.key == "kind")
        }
    }

    @Test("no character of a line acts on a terminal, and none is lost")
    func safety() throws {
        let hostile = "\u{1b}[2J\u{9b}31m\u{7f}\n\u{202e}\u{2066}\u{feff}\u{2028}é 👩\u{200d}🚒 \u{1fffe}\u{10ffff}"
        let line = OutputLine.other(name: hostile, arguments: [.object([hostile: .string(hostile)])])
        let text = text(line)
        #expect(!text.unicodeScalars.contains { $0.isTerminalHazard })
        #expect(text.contains(#"\u009b31m\u007f\n\u202e\u2066"#))
        #expect(text.contains(#"\ud83f\udffe"#))
        #expect(text.contains("é 👩\u{200d}🚒"))
        #expect(try JSON(parsing: text) == line.json)
    }
}

@Suite("LineFormat")
struct LineFormatTests {
    private let format = LineFormat(clock: { _ in "14:03:01.204" })

    private func text(_ line: OutputLine) -> String { format.text(line, now: Timestamp(milliseconds: 0)) }

    @Test("a line has a clock, a mark, and what happened")
    func lines() throws {
        let table: [(OutputLine, String)] = [
            (.expiring(Timestamp(milliseconds: 0)), "· the login expires at 14:03:01.204"),
            (.presence(try #require(Presence(json: presence(ann, sockets: 2)))), "· Ann (user) is on, 2 sockets"),
            (
                .presence(
                    try #require(Presence(json: ["user": ["_id": 1, "name": "A"], "sockets": 0, "state": "left"]))),
                "· A has left"
            ),
            (
                .socket(try #require(SocketRecord(json: socket("S", ann)))),
                "· socket S  ann@example.org Ann (user)  websocket  127.0.0.1:5000"
            ),
            (.kicked(socket: "S", user: nil, closes: true), "· kicked socket S, and disconnected it"),
            (.kicked(socket: "S", user: ann.json, closes: false), "· kicked socket S of ann@example.org"),
            (.event(event(1, .created)), "+ thing 12 boiler 3  active=true  by Ann"),
            (
                .event(
                    event(
                        1, row: ["_id": 12, "name": "boiler 3", "active": true, "info": "x"], by: nil, changed: ["info"]
                    )),
                "~ thing 12 boiler 3  info=x"
            ),
            (.event(event(1, .removed, row: ["_id": 12])), "- thing 12  by Ann"),
            (.event(event(1, .hidden, row: ["_id": 12], by: nil)), "- thing 12  no longer visible to this user"),
            (.event(event(1, folded: 3)), "~ thing 12 boiler 3  active=true  by Ann  (3 events in one)"),
            (
                .event(event(1, model: "message", .created, row: ["_id": 1, "body": "了解です 👍", "room": "r"])),
                "# Ann in r  了解です 👍"
            ),
            (.identity(identity(nil, reason: .expired), nil), "· unassociated (expired)"),
            (.identity(identity(ann), nil), "· ann@example.org Ann (user) until 14:03:01.204 (cookie)"),
            (.state(.connecting(attempt: 1), server: .default), "· connecting to http://127.0.0.1:9000"),
            (.state(.online(socketID: "S"), server: .default), "· online at http://127.0.0.1:9000 as socket S"),
            (
                .state(.offline(reason: "Gone.", retryIn: .milliseconds(3449), attempt: 2), server: .default),
                "· offline: Gone. Attempt 2 follows in 3.4 s."
            ),
            (.state(.closed(reason: "Done."), server: .default), "· closed: Done."),
            (
                .gap(Gap(after: nil, before: position(5), reason: .overflow)),
                "! events are lost (overflow); reload what matters, it goes on from 00000000abcd-0000000000000005"
            ),
            (.error(code: "forbidden", message: "No.", field: nil), "! forbidden: No."),
            (.acknowledgement(command: "logout", answer: ["data": "un-registered"]), "· logout: un-registered"),
            (
                .acknowledgement(command: "login", answer: ["error": "token_expired", "message": "It is over."]),
                "· login: It is over."
            ),
            (.removed(model: "thing", key: "a"), "- thing a"),
            (.other(name: "degraded", arguments: [["reason": "x"]]), "· degraded  {\"reason\":\"x\"}"),
        ]
        for (line, expected) in table { #expect(text(line) == "14:03:01.204 \(expected)") }
    }

    @Test("foreign text is made safe, counted, and stays on its line")
    func safety() {
        #expect(
            text(.event(event(1, .removed, row: ["_id": 1, "name": "\u{1b}[2Jname"], by: nil)))
                == "14:03:01.204 ! thing 1 ⟨1b⟩[2Jname  (1 character made safe)")
        #expect(
            text(.error(code: "x", message: "a\nb\u{202e}", field: nil))
                == "14:03:01.204 ! x: a⟨0a⟩b⟨202e⟩  (2 characters made safe)")
    }

    @Test("a long row is cut, a chat message is not")
    func length() {
        let long = String(repeating: "x", count: 5000)
        #expect(text(.event(event(1, .created, row: ["_id": 1, "info": .string(long)]))).count < 300)
        #expect(text(.event(event(1, model: "message", .created, row: ["body": .string(long)]))).count > 5000)
    }

    @Test("the time of day is the user's, to the millisecond")
    func clock() {
        let text = Timestamp(milliseconds: 1_795_370_701_007).localTimeOfDay
        #expect(text.wholeMatch(of: /\d\d:\d\d:01\.007/) != nil, "\(text)")
        #expect(Timestamp(milliseconds: -1).localTimeOfDay.hasSuffix(":59.999"))
    }
}
