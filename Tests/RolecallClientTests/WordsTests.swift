import RolecallProtocol
import Testing
import WireJSON

@testable import RolecallClient

@Suite("ControlCommand")
struct ControlCommandTests {
    @Test("a line is a command, or chat")
    func parsing() throws {
        let table: [(String, ControlCommand?)] = [
            ("/login", .login(nil)), ("/login  work ", .login(Profile("work"))), ("/logout", .logout),
            ("/whoami ", .whoami), ("/send  two words ", .send("two words")), ("/disconnect", .disconnect),
            ("/quit", .quit), ("hello there", .send("hello there")), ("//etc", .send("/etc")), ("//", .send("/")),
            ("", nil), ("   ", nil),
        ]
        for (line, command) in table { #expect(try ControlCommand(parsing: line) == command, "\(line)") }
    }

    @Test("an unknown command is answered by the nearest one")
    func unknown() throws {
        for (line, guess) in [
            ("/lgoin", "/login"), ("/lougout", "/logout"), ("/who", "/whoami"), ("/Quit", "/quit"),
            ("/sned x", "/send"),
        ] {
            let error = try #require(throws: ControlCommand.Malformed.self) { try ControlCommand(parsing: line) }
            #expect(error.code == "unknown_command")
            #expect(error.description.contains("Did you mean \(guess)?"), "\(error)")
        }
    }

    @Test("an argument that does not fit is refused")
    func arguments() {
        for line in ["/login ../x", "/send", "/send  ", "/quit now", "/logout ann"] {
            #expect(throws: ControlCommand.Malformed.self, "\(line)") { try ControlCommand(parsing: line) }
        }
    }
}

@Suite("Words")
struct WordsTests {
    @Test("the nearest word takes the fewest edits; a swap is one")
    func nearestWord() {
        #expect(nearest(to: "ab", among: []) == nil)
        #expect(nearest(to: "", among: ["abc", "a"]) == "a")
        #expect(nearest(to: "acb", among: ["xxx", "abc"]) == "abc")
        #expect(nearest(to: "send", among: ["bend", "send"]) == "send")
        #expect(nearest(to: String(repeating: "x", count: 100_000), among: ["y"]) == "y")
    }

    @Test("a value is what its field takes; of a field that is not told, JSON where it spells JSON, else text")
    func assignments() throws {
        let unknown: [(String, JSON)] = [
            ("a=boiler", "boiler"), ("a=true", true), ("a=5", 5), ("a=\"5\"", "5"), ("a=", ""), ("a=null", nil),
            ("a=[1,2]", [1, 2]), ("a=b=c", "b=c"), ("a={x", "{x"), ("a= 5 ", 5),
        ]
        let typed: [(ModelDescription.Kind, String, JSON)] = [
            (.text, "a=5", "5"), (.text, "a= 5 ", " 5 "), (.text, "a=[1]", "[1]"), (.text, "a=\"5\"", "5"),
            (.text, "a=true", "true"), (.text, "a=null", nil), (.text, "a=", ""), (.text, "a=\"null\"", "null"),
            (.integer, "a=5", 5), (.integer, "a=5x", "5x"), (.integer, "a=null", nil),
            (.integer, "a=9223372036854775807", .integer(.max)), (.real, "a=1e3", 1000.0), (.boolean, "a=true", true),
            (.boolean, "a=1", true), (.boolean, "a=0", false), (.boolean, "a=yes", "yes"),
            (.blob, "a=00", ["$blob": "00"]), (.blob, "a=12", ["$blob": "12"]), (.blob, "a=null", nil),
            (.blob, "a={\"$blob\":\"ff\"}", ["$blob": "ff"]), (.blob, "a=\"ff\"", ["$blob": "ff"]),
            (.any, "a=5", 5), (.any, "a=x", "x"), (ModelDescription.Kind(rawValue: "of_tomorrow"), "a=5", 5),
        ]
        for (text, value) in unknown {
            let assignment = try #require(FieldAssignment(text))
            #expect(assignment.field == "a")
            #expect(FieldAssignment.value(assignment.spelled, for: nil) == value, "\(text)")
        }
        for (kind, text, value) in typed {
            let field = ModelDescription.Field(
                name: "a", kind: kind, isRequired: false, isNullable: true, isWritable: true)
            let assignment = try #require(FieldAssignment(text))
            #expect(FieldAssignment.value(assignment.spelled, for: field) == value, "\(kind.rawValue) \(text)")
        }
        let required = ModelDescription.Field(
            name: "a", kind: .text, isRequired: true, isNullable: false, isWritable: true)
        #expect(FieldAssignment.value("null", for: required) == "null")
        #expect(FieldAssignment("a") == nil)
        #expect(FieldAssignment("=a") == nil)
    }

    @Test("a library's description of a fault becomes words, and one that is unknown stays")
    func networkFaults() {
        let table = [
            (
                "Connection errors: X(target: 127.0.0.1:1, error: connect(): Connection refused) (errno: 111))",
                "refused"
            ),
            (
                "handshakeFailed(sslError([Error: 1 SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED at x:3]))",
                "--cacert"
            ),
            ("[Error: 1 X:OPENSSL_internal:NO_CERTIFICATE_OR_CRL_FOUND at x:3]", "holds no certificate"),
            ("[Error: 1 X:OPENSSL_internal:WRONG_VERSION_NUMBER at x:3]", "does not speak TLS"),
            ("[Error: 1 X:OPENSSL_internal:BAD_THING at x:3]", "TLS failed (BAD_THING)"),
            ("DNS error: SocketAddressError.UnknownHost: Name or service not known", "resolved"),
            ("The server closed the connection.", "The server closed the connection."),
            ("errno: 99999999999", "errno: 99999999999"),
        ]
        for (description, words) in table {
            #expect(NetworkFault.words(for: description).contains(words), "\(description)")
        }
        #expect("a".asSentenceEnd == "a." && "a.".asSentenceEnd == "a.")
    }

    @Test("a profile's name is a plain word")
    func profiles() {
        for text in ["default", "a", "A.b-c_9", String(repeating: "x", count: 64)] { #expect(Profile(text) != nil) }
        for text in ["", ".", "..", ".a", "-a", "a/b", "a b", "ä", "a\n", String(repeating: "x", count: 65)] {
            #expect(Profile(text) == nil, "\(text.debugDescription)")
        }
    }
}
