import RolecallProtocol
import Terminal
import WireJSON

@testable import RolecallClient

/// One screen of each kind that the client has, brought about by what a user presses and a server tells.
enum ScreenGallery {
    struct Scene: Sendable, CustomStringConvertible {
        /// Of the file that holds what it looks like.
        let name: String
        let play: @Sendable (inout Stage) -> Void

        var description: String { name }

        init(_ name: String, _ play: @escaping @Sendable (inout Stage) -> Void) {
            self.name = name
            self.play = play
        }

        func stage(_ size: Size, isUnicode: Bool) -> Stage {
            var stage = Stage(columns: size.columns, rows: size.rows, isUnicode: isUnicode)
            // The same wherever the tests run.
            stage.state.timeMode = .utc
            play(&stage)
            return stage
        }
    }

    static let scenes: [Scene] = [
        Scene("nobody") { stage in
            stage.connect(as: nil, reason: .anonymous)
            stage.tell(.event(event(2, .created)))
        },
        Scene("offline") { stage in
            rows(&stage)
            stage.tell(.state(.offline(reason: "The connection was lost.", retryIn: .seconds(7), attempt: 3)))
        },
        Scene("following") { stage in
            rows(&stage)
            stage.act(.outcome(.latency(.milliseconds(12))))
        },
        Scene("reconnected") { stage in
            rows(&stage)
            stage.tell(.state(.offline(reason: "The connection was lost.", retryIn: .seconds(2), attempt: 1)))
            stage.pass(.seconds(6))
            stage.connect(as: ann)
            stage.pass(.seconds(1))
        },
        Scene("gap") { stage in
            rows(&stage)
            stage.tell(.gap(Gap(after: nil, before: position(400), reason: .retention)))
        },
        Scene("identities") { stage in
            rows(&stage)
            stage.tell(.identity(identity(root, epoch: 2, reason: .roleChanged), position(30)))
            stage.tell(.identity(identity(nil, epoch: 3, reason: .logout), position(31)))
            stage.tell(.identity(identity(ann, epoch: 4, reason: .login), position(32)))
            stage.tell(.identity(identity(nil, epoch: 5, reason: .expired), position(33)))
        },
        Scene("paused") { stage in
            rows(&stage)
            filter(&stage, "model:thing")
            stage.press(.up)
            for number in 0..<3 {
                stage.tell(.event(event(Int64(200 + number))), .event(chat(Int64(210 + number), ".")))
            }
        },
        Scene("search") { stage in
            rows(&stage)
            stage.press(.character("/"))
            stage.type("boiler")
            stage.press(.enter, .character("n"))
        },
        Scene("filter-preview") { stage in
            rows(&stage)
            stage.press(.character("f"))
            stage.type("op:updated info~leak")
        },
        Scene("filter-mistake") { stage in
            rows(&stage)
            filter(&stage, "nosuch:x")
        },
        Scene("dimmed") { stage in
            rows(&stage)
            filter(&stage, "model:message")
            stage.press(.character("c"))
        },
        Scene("filters") { stage in
            rows(&stage)
            for query in ["model:thing", "-op:removed"] {
                filter(&stage, query)
            }
            stage.press(.character("F"), .down, .character(" "))
        },
        Scene("detail-json") { stage in
            detail(&stage)
            stage.press(.character("J"), .function(6), .down, .down)
        },
        Scene("detail-diff") { stage in
            detail(&stage)
            stage.press(.character("D"))
        },
        Scene("detail-raw") { stage in
            detail(&stage)
            stage.press(.character("R"))
        },
        Scene("versions") { stage in
            detail(&stage)
            stage.press(.character("["))
        },
        Scene("marks") { stage in
            rows(&stage)
            stage.press(.up, .character("m"), .character("a"), .up, .character("m"))
        },
        Scene("relative-time") { stage in
            rows(&stage)
            stage.act(.key(.escape))
            stage.state.timeMode = .relative
        },
        Scene("delta-time") { stage in
            rows(&stage)
            stage.state.timeMode = .delta
        },
        Scene("wrapped") { stage in
            rows(&stage)
            let text = "a value that goes on for longer than most lists have room for in one line of them"
            stage.tell(.event(event(50, row: ["_id": 1, "name": "long", "info": .string(text)], changed: ["info"])))
            stage.press(.character("w"))
        },
        Scene("made-safe") { stage in
            rows(&stage)
            stage.tell(
                .event(event(60, .created, row: ["_id": 2, "name": "\u{1b}[2Jname", "info": "a\u{202e}b\u{200b}c"])),
                .event(chat(61, "了解です 👍 👩\u{200d}🚒 한국 e\u{301} 🇩🇪 \u{9b}31m")))
        },
        Scene("tabs") { stage in
            rows(&stage)
            stage.press(.alt("2"))
            stage.tell(.event(chat(70, "unread")), .event(chat(71, "unread, too")))
        },
        Scene("people") { stage in
            rows(&stage)
            stage.press(.function(7))
            stage.tell(presence: presence(ann), presence(root, sockets: 2))
        },
        Scene("kick") { stage in
            rows(&stage)
            stage.connect(as: root)
            stage.press(.function(7))
            stage.tell(presence: presence(ann), presence(root, sockets: 2))
            stage.answer(sockets: [socket("7fQ2kXb9", root), socket("c", ann, queued: 1_000_000), socket("d", nil)])
            stage.press(.down, .down, .character("k"))
        },
        Scene("login") { stage in
            stage.connect(as: nil, reason: .anonymous)
            stage.press(.function(2))
            stage.type("ann@example.org")
            stage.press(.tab)
            stage.type("a secret")
            stage.act(.outcome(.loginFailed(.password, reason: "This e-mail and password do not match.")))
        },
        Scene("account") { stage in
            rows(&stage)
            stage.press(.function(2))
            stage.answer(sessions: [session("s1", current: true, sockets: ["7fQ2kXb9"]), session("s2")])
            stage.press(.down)
        },
        Scene("expiring") { stage in
            rows(&stage)
            stage.tell(.expiring(Timestamp(milliseconds: Stage.wall.milliseconds + 50_000)))
        },
        Scene("chat-in-a-room") { stage in
            rows(&stage)
            stage.press(.character("i"))
            stage.type("/join ops")
            stage.press(.enter)
            stage.tell(joinedOps)
            stage.type("one line")
            stage.press(.alt(.enter))
            stage.type("and another")
        },
        Scene("unknown-command") { stage in
            rows(&stage)
            stage.press(.character(":"))
            stage.type("filtre model:thing")
            stage.press(.enter)
        },
        Scene("explained") { stage in
            rows(&stage, as: root)
            stage.press(.end, .character("x"), .control("u"))
            stage.type("ann@example.org")
            stage.press(.enter)
            let request = ExplanationRequest(
                position: position(14), user: "ann@example.org", generation: stage.state.generation)
            stage.act(.outcome(.explained(request, Tour.explanation(of: "boiler 3"))))
        },
        Scene("help") { stage in
            rows(&stage)
            stage.press(.function(1))
        },
        Scene("help-found") { stage in
            rows(&stage)
            stage.press(.function(1), .character("/"))
            stage.type("versions")
        },
        Scene("palette") { stage in
            rows(&stage)
            stage.press(.function(9))
            stage.type("co")
            stage.press(.down, .down)
        },
        Scene("recording") { stage in
            rows(&stage)
            stage.act(.outcome(.recording(path: "events.jsonl")))
            stage.tell(.event(event(80)))
        },
    ]

    /// Somebody is signed in, and of each kind of entry there is one.
    private static func rows(_ stage: inout Stage, as user: UserSummary = ann) {
        stage.connect(as: user)
        let boiler: JSON = ["_id": 12, "name": "boiler 3", "info": "ok", "active": true]
        let leak: JSON = ["_id": 12, "name": "boiler 3", "info": "leak", "active": true]
        stage.tell(
            .event(event(10, .created, row: boiler)), .event(event(11, row: leak, changed: ["info"])),
            .event(chat(12, "hello from the control room, this line wraps under its own text")),
            .event(event(13, .removed, row: ["_id": 9])), .event(event(14, .hidden, row: ["_id": 5])))
    }

    private static func filter(_ stage: inout Stage, _ query: String) {
        stage.press(.character("f"))
        stage.type(query)
        stage.press(.enter)
    }

    /// The detail of a row's second version is open.
    private static func detail(_ stage: inout Stage) {
        rows(&stage)
        for info in ["ok", "dry"] {
            let row: JSON = [
                "_id": 3, "name": "pump", "info": .string(info), "parts": [1, ["deep": ["er": true]], "a"],
            ]
            stage.tell(.event(event(info == "ok" ? 20 : 21, row: row, changed: ["info"])))
        }
        stage.press(.end, .enter)
    }
}
