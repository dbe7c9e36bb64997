import RolecallProtocol
import Testing
import WireJSON

@Suite("What travels")
struct VocabularyTests {
    static let position = Position(era: Era(rawValue: 0xABC), sequence: 0x1F)
    static let positionText = "000000000abc-000000000000001f"
    static let ann = UserSummary(id: 7, email: "ann@example.com", name: "Ann", role: "admin")

    static let acknowledgements: [(value: Acknowledgement, text: String)] = [
        (.registered, #"{"data":"registered"}"#),
        (.unregistered, #"{"data":"un-registered"}"#),
        (.sent(id: 12, position: position), #"{"data":"sent","_id":12,"position":"000000000abc-000000000000001f"}"#),
        (.sent(id: 12, position: nil), #"{"data":"sent","_id":12,"position":null}"#),
        (
            .refused(WireError(.tokenExpired, "The token has expired.")),
            #"{"error":"token_expired","message":"The token has expired."}"#
        ),
        (
            .refused(WireError(.invalidField, "Too long.", field: "body")),
            #"{"error":"invalid_field","message":"Too long.","field":"body"}"#
        ),
        (.refused(WireError(ErrorCode(rawValue: "of_tomorrow"), "?")), #"{"error":"of_tomorrow","message":"?"}"#),
    ]

    @Test("acknowledgements, byte by byte", arguments: acknowledgements.indices)
    func acknowledgement(_ index: Int) throws {
        let (value, text) = Self.acknowledgements[index]
        #expect(value.json.description == text)
        #expect(Acknowledgement(json: try JSON(parsing: text)) == value)
    }

    @Test(
        "what is no acknowledgement gives none",
        arguments: [
            "null", "[]", "{}", #"{"data":"registred"}"#, #"{"data":1}"#, #"{"data":"sent","_id":1}"#,
            #"{"data":"sent","_id":1,"position":"x"}"#, #"{"data":"sent","position":"000000000abc-000000000000001f"}"#,
            #"{"error":1}"#,
        ])
    func noAcknowledgement(_ text: String) throws {
        #expect(Acknowledgement(json: try JSON(parsing: text)) == nil)
    }

    @Test("an error without a sentence says its code")
    func bareError() throws {
        let error = try #require(WireError(json: try JSON(parsing: #"{"error":"busy"}"#)))
        #expect(error == WireError(.busy, "busy"))
        #expect(WireError(.busy, "Wait.").description == "busy: Wait.")
    }

    @Test("an identity with a user, byte by byte")
    func identity() throws {
        let identity = Identity(
            socketID: "s1", address: "127.0.0.1:5000", user: Self.ann, epoch: 3,
            expiresAt: Timestamp(milliseconds: 1_795_354_956_123), models: ["thing", "user"], reason: .login)
        let text = """
            {"socket":{"id":"s1","address":"127.0.0.1:5000"},"user":{"_id":7,"email":"ann@example.com","name":"Ann",\
            "role":"admin"},"epoch":3,"expiresAt":"2026-11-22T13:42:36.123Z","models":["thing","user"],"reason":"login"}
            """
        #expect(identity.json.description == text)
        #expect(Identity(json: try JSON(parsing: text)) == identity)
    }

    @Test("what a user belongs to stands behind all else in an identity, byte by byte")
    func memberships() throws {
        var identity = Identity(
            socketID: "s1", address: "127.0.0.1:5000", user: Self.ann, epoch: 3, expiresAt: nil, models: ["thing"],
            memberships: IdentityMemberships(
                entries: [
                    .init(name: "team", of: 7, roles: ["editor", "owner"]), .init(name: "club", of: "x", roles: []),
                ],
                hasMore: true), affects: ["thing"], reason: .membershipChanged)
        let text = """
            {"socket":{"id":"s1","address":"127.0.0.1:5000"},"user":{"_id":7,"email":"ann@example.com","name":"Ann",\
            "role":"admin"},"epoch":3,"expiresAt":null,"models":["thing"],"reason":"membership_changed",\
            "memberships":[{"name":"team","of":7,"roles":["editor","owner"]},{"name":"club","of":"x","roles":[]}],\
            "more":true,"affects":["thing"]}
            """
        #expect(identity.json.description == text)
        #expect(Identity(json: try JSON(parsing: text)) == identity)
        // A server that knows none says nothing of them.
        identity.memberships = nil
        identity.affects = nil
        #expect(identity.json["memberships"] == nil)
        #expect(Identity(json: identity.json) == identity)
    }

    @Test("an identity of nobody, byte by byte")
    func anonymous() throws {
        let identity = Identity(
            socketID: "s1", address: "[::1]:80", user: nil, epoch: 0, expiresAt: nil, models: [], reason: .anonymous)
        let text = """
            {"socket":{"id":"s1","address":"[::1]:80"},"user":null,"epoch":0,"expiresAt":null,"models":[],\
            "reason":"anonymous"}
            """
        #expect(identity.json.description == text)
        #expect(Identity(json: try JSON(parsing: text)) == identity)
    }

    @Test("a reason of a newer server is kept; a user that is none, or is missing, makes the identity none")
    func identityReading() throws {
        func parse(_ user: String) throws -> Identity? {
            Identity(
                json: try JSON(
                    parsing: #"{"socket":{"id":"s","address":"a"},\#(user)"epoch":1,"reason":"of_tomorrow"}"#))
        }
        #expect(try parse(#""user":null,"#)?.reason == IdentityReason(rawValue: "of_tomorrow"))
        #expect(try parse(#""user":{"_id":7},"#) == nil)
        #expect(try parse("") == nil)
        #expect(Identity(json: []) == nil)
    }

    static let events: [(value: ModelEvent, text: String)] = [
        (
            ModelEvent(
                model: "thing", operation: .created, row: ["_id": 1, "name": "x"], at: "2026-11-22T13:42:36.123Z",
                by: Author(id: 7, name: "Ann"), changed: [], position: position),
            #"""
            [{"_id":1,"name":"x"},{"op":"created","at":"2026-11-22T13:42:36.123Z","by":{"_id":7,"name":"Ann"},\#
            "changed":[]},"000000000abc-000000000000001f"]
            """#
        ),
        (
            ModelEvent(
                model: "a.b", operation: .updated, row: ["_id": "k"], at: "", by: nil, changed: ["name"], folded: 3,
                position: position),
            #"""
            [{"_id":"k"},{"op":"updated","at":"","by":null,"changed":["name"],"folded":3},\#
            "000000000abc-000000000000001f"]
            """#
        ),
        (
            ModelEvent(
                model: "thing", operation: .hidden, row: ["_id": 1], at: "t", by: nil, changed: [], position: position),
            #"[{"_id":1},{"op":"hidden","at":"t","by":null},"000000000abc-000000000000001f"]"#
        ),
        (
            ModelEvent(
                model: "thing", operation: .removed, row: ["_id": 1], at: "t", by: nil, changed: [],
                position: position),
            #"[{"_id":1},{"op":"removed","at":"t","by":null},"000000000abc-000000000000001f"]"#
        ),
    ]

    @Test("model events, byte by byte", arguments: events.indices)
    func event(_ index: Int) throws {
        let (value, text) = Self.events[index]
        #expect(JSON.array(value.arguments).description == text)
        let arguments = try #require(try JSON(parsing: text).arrayValue)
        #expect(ModelEvent(name: value.name, arguments: arguments) == value)
        #expect(value.name == "\(value.model):\(index < 2 ? "save" : "remove")")
        // Nothing but the position ever stands last as a string.
        #expect(value.arguments.compactMap(\.stringValue) == [Self.positionText])
    }

    @Test("what is no model event gives none")
    func noEvent() throws {
        let arguments = Self.events[0].value.arguments
        #expect(ModelEvent(name: "thing:save", arguments: arguments) != nil)
        #expect(ModelEvent(name: "thing:remove", arguments: arguments) == nil)
        #expect(ModelEvent(name: "thing:", arguments: arguments) == nil)
        #expect(ModelEvent(name: ":save", arguments: arguments) == nil)
        #expect(ModelEvent(name: "identity", arguments: arguments) == nil)
        #expect(ModelEvent(name: "thing:save", arguments: []) == nil)
        #expect(ModelEvent(name: "thing:save", arguments: [arguments[0], arguments[1]]) == nil)
        #expect(ModelEvent(name: "thing:save", arguments: [1, arguments[1], arguments[2]]) == nil)
        #expect(ModelEvent(name: "thing:save", arguments: [arguments[0], [:], arguments[2]]) == nil)
        #expect(ModelEvent(name: "thing:save", arguments: [arguments[0], arguments[1], "x"]) == nil)
    }

    static let gaps: [(value: Gap, text: String)] = [
        (
            Gap(after: nil, before: position, reason: .overflow),
            #"{"after":null,"before":"000000000abc-000000000000001f","reason":"overflow"}"#
        ),
        (
            Gap(after: "anything", before: position, reason: .unknown),
            #"{"after":"anything","before":"000000000abc-000000000000001f","reason":"unknown"}"#
        ),
    ]

    @Test("gaps, byte by byte", arguments: gaps.indices)
    func gap(_ index: Int) throws {
        let (value, text) = Self.gaps[index]
        #expect(value.json.description == text)
        #expect(Gap(json: try JSON(parsing: text)) == value)
        #expect(Gap(json: ["before": "x", "reason": "overflow"]) == nil)
        #expect(Gap(json: ["before": .string(Self.positionText), "reason": "boredom"]) == nil)
    }

    @Test("the names of events and codes are those of the wire's description")
    func names() {
        #expect(Identity.eventName == "identity")
        #expect(Gap.eventName == "gap")
        #expect(
            [ClientEvent.login, ClientEvent.logout, ClientEvent.whoami, ClientEvent.message]
                == ["login", "logout", "whoami", "message"])
        let reasons: [IdentityReason] = [
            .cookie, .auth, .header, .login, .logout, .anonymous, .expired, .roleChanged, .userChanged, .userRemoved,
            .passwordChanged, .signedOut, .tokenInvalid, .tokenExpired, .tokenRevoked, .userUnknown,
        ]
        #expect(
            reasons.map(\.rawValue) == [
                "cookie", "auth", "header", "login", "logout", "anonymous", "expired", "role_changed", "user_changed",
                "user_removed", "password_changed", "signed_out", "token_invalid", "token_expired", "token_revoked",
                "user_unknown",
            ])
    }
}
