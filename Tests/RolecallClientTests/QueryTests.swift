import RolecallProtocol
import TestSupport
import Testing
import WireJSON

@testable import RolecallClient

@Suite("Query")
struct QueryTests {
    private static let now = Timestamp("2026-11-22T13:50:00.000Z") ?? Timestamp(milliseconds: 0)
    /// "Ann updated boiler 3 of the cellar", five minutes before now.
    private static let sample = event(
        7,
        row: [
            "_id": 12, "name": "Boiler 3", "active": false, "level": 2.5, "info": .null, "code": "5",
            "tags": ["wet", ["deep": "Größe"]],
        ])

    @Test(
        "a term holds for the event that it describes",
        arguments: [
            "", "model:thing", "op:updated", "op:save", "who:ann", "who:\"NN\"", "key:12", "active=false",
            "name=\"Boiler 3\"", "level=2.5", "level=25e-1", "info=null", "code=5", "code=\"5\"", "_id=12",
            "name~BOILER", "name~\"r 3\"", "level~2.5", "tags~wet", "boiler", "\"boiler 3\"", "wet", "GRÖßE",
            "größe", "since:5m", "since:300s", "since:1h", "since:2d", "-op:removed", "-model:user", "-who:none",
            "-key:1", "-active=true", "-unknown=1", "-name~x", "-oven", "-since:4m", "-role:admin",
            "model:thing op:updated who:ann info=null name~boil active=false -op:removed boiler",
        ])
    func holds(text: String) throws {
        #expect(try Query(parsing: text).matches(Self.sample, now: Self.now))
    }

    @Test(
        "a term does not hold for another event",
        arguments: [
            "model:user", "model:Thing", "op:created", "op:remove", "op:hidden", "who:bob", "who:none", "key:1",
            "key:012", "active=true", "active=\"false\"", "name=boiler", "name=\"boiler 3\"", "code=5.0x",
            "unknown=1", "unknown~1", "name~oven", "oven", "false", "12", "since:4m", "since:298s", "role:admin",
            "-boiler", "-op:save", "boiler -active=false",
        ])
    func doesNotHold(text: String) throws {
        #expect(try !Query(parsing: text).matches(Self.sample, now: Self.now))
    }

    @Test("a change from outside is nobody's, and a user who is called none is one")
    func outsideChanges() throws {
        let outside = event(1, by: nil)
        let none = event(1, by: Author(id: 9, name: "None"))
        #expect(try Query(parsing: "who:none").matches(outside, now: Self.now))
        #expect(try !Query(parsing: "who:none").matches(none, now: Self.now))
        #expect(try Query(parsing: "who:\"none\"").matches(none, now: Self.now))
        #expect(try !Query(parsing: "who:\"none\"").matches(outside, now: Self.now))
    }

    @Test("a role is that of the user model's rows, and of identities")
    func roles() throws {
        let query = try Query(parsing: "role:admin")
        #expect(query.matches(event(1, model: "user", row: ["_id": 2, "role": "admin"]), now: Self.now))
        #expect(!query.matches(event(1, model: "user", row: ["_id": 2, "role": "user"]), now: Self.now))
        #expect(!query.matches(event(1, row: ["_id": 2, "role": "admin"]), now: Self.now))
        #expect(query.matches(identity(root)))
        #expect(!query.matches(identity(ann)))
        #expect(!query.matches(identity(nil)))
    }

    @Test("only a query about roles alone is answered by an identity")
    func identities() throws {
        #expect(try Query(parsing: "-role:admin").matches(identity(ann)))
        for text in ["", "-op:removed", "ann", "role:admin model:thing", "who:root"] {
            #expect(try !Query(parsing: text).matches(identity(root)), "\(text)")
        }
    }

    @Test("an event that is not a model's is known by its texts only")
    func otherEvents() throws {
        let arguments: [JSON] = [["state": "joined", "user": ["name": "Ann"]]]
        for text in ["", "joined", "-left", "ann -op:removed"] {
            #expect(try Query(parsing: text).matches(eventName: "presence", arguments: arguments), "\(text)")
        }
        for text in ["left", "model:thing", "who:ann", "since:5m", "-joined"] {
            #expect(try !Query(parsing: text).matches(eventName: "presence", arguments: arguments), "\(text)")
        }
    }

    @Test("an event without a time is of no span")
    func foreignTime() throws {
        #expect(try !Query(parsing: "since:9d").matches(event(1, at: "yesterday"), now: Self.now))
    }

    @Test(
        "an error names the term, its column and what would be right",
        arguments: [
            ("op:changed", "op:changed", 1, "hidden"),
            ("model:thing  foo:bar", "foo:bar", 14, "quotes"),
            ("a -", "-", 3, "-op:removed"),
            ("=5", "=5", 1, "field=value"),
            ("~5", "~5", 1, "field~text"),
            ("name~", "name~", 1, "name~text"),
            ("model:", "model:", 1, "model:thing"),
            ("who:", "who:", 1, "who:none"),
            ("key:", "key:", 1, "key:12"),
            ("role:", "role:", 1, "role:admin"),
            ("since:5", "since:5", 1, "since:5m"),
            ("since:m", "since:m", 1, "since:5m"),
            ("since:+5m", "since:+5m", 1, "since:5m"),
            ("since:9223372036854775807d", "since:9223372036854775807d", 1, "since:5m"),
            ("name=\"x", "name=\"x", 1, "closing quote"),
            ("\"a\"b", "\"a\"b", 1, "space"),
            ("a\"b", "a\"b", 1, "whole word"),
            ("ok 12:30", "12:30", 4, "known word"),
        ])
    func errors(text: String, term: String, column: Int, hint: String) throws {
        let error = try #require(throws: QueryError.self) { try Query(parsing: text) }
        #expect(error.term == term)
        #expect(error.column == column)
        #expect(error.fault.contains(hint), "\(error)")
        #expect("\(error)".contains("'\(term)' (column \(column))"))
    }

    @Test("quotes hold spaces, colons and leading signs together, and a backslash a quote")
    func quoting() throws {
        let row: JSON = ["_id": 1, "name": "a: -b \"c\" \\"]
        for text in [#""a: -b""#, #"name~"-b \"c\"""#, #"name="a: -b \"c\" \\""#, #"-name="a""#] {
            #expect(try Query(parsing: text).matches(event(1, row: row), now: Self.now), "\(text)")
        }
    }

    @Test("any text is a query or an error, and no query fails on an event")
    func fuzz() {
        var generator = Seeded(20_261_122)
        let alphabet = Array("abmodelwhkeyrisnc:=~-\" \\\t0123456789smhd{}[],.é👩‍🚒\u{0}\u{202E}\n")
        var queries = 0
        for _ in 0..<20_000 {
            let length = Int.random(in: 0...24, using: &generator)
            var text = String((0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
            if Bool.random(using: &generator) {
                let prefix = ["model:", "op:", "who:", "key:", "role:", "since:", "-", "name=", "x~\""]
                text = prefix[Int.random(in: 0..<prefix.count, using: &generator)] + text
            }
            do throws(QueryError) {
                let query = try Query(parsing: text)
                queries += 1
                _ = query.matches(Self.sample, now: Self.now)
                _ = query.matches(identity(ann))
                _ = query.matches(eventName: text, arguments: [.string(text)])
            } catch {
                #expect((1...text.count).contains(error.column), "\(text.debugDescription)")
                #expect(!error.term.isEmpty)
            }
        }
        #expect(queries > 1000)
    }

    @Test("containment disregards case in any script, and finds what begins late")
    func containment() {
        #expect(FoldedText("aab").occurs(in: "AAAB"))
        #expect(FoldedText("ß").occurs(in: "Straße"))
        #expect(FoldedText("ÄRGER").occurs(in: "kein ärger"))
        #expect(FoldedText("").occurs(in: ""))
        #expect(!FoldedText("ab").occurs(in: "a"))
        #expect(!FoldedText("@").occurs(in: "`"))
    }
}
