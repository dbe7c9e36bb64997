import Foundation
import RolecallProtocol
import Terminal
import TestSupport
import Testing
import WireJSON

@testable import RolecallClient

/// All texts in all places at all sizes in both sets take minutes in a debug build: `ROLECALL_HOSTILE_SCREENS=all`.
private let isWhole = ProcessInfo.processInfo.environment["ROLECALL_HOSTILE_SCREENS"] == "all"

@Suite("Hostile text", .computes)
struct HostileMatrixTests {
    @Test(
        "in every place that shows others' text, it stays in its cells and acts on nothing", arguments: Size.promised,
        [true, false])
    func everywhere(size: Size, isUnicode: Bool) {
        let turn = 2 * (Size.promised.firstIndex(of: size) ?? 0) + (isUnicode ? 0 : 1)
        // Each text comes at one size; the next one at the next.
        for (place, (name, text)) in HostileTexts.all.enumerated() where isWhole || (place + turn) % 8 == 0 {
            var watched = WatchedStage(size, isUnicode: isUnicode)
            (watched.isForeign, watched.isHasty) = (true, !isWhole)
            watched.scene = name
            beSomebody(text, &watched)
            events(text, &watched)
            troubles(text, &watched)
            // What fills any pane does so in the list and the detail.
            guard isWhole || text.utf8.count < 2000 else { continue }
            pages(text, &watched)
            typing(text, &watched)
        }
    }

    private func beSomebody(_ text: String, _ watched: inout WatchedStage) {
        var identity = identity(UserSummary(id: 1, email: text, name: text, role: text))
        (identity.socketID, identity.address) = (text, text)
        watched.tell(.state(.online(socketID: text)), .identity(identity, position(1)))
    }

    private func events(_ text: String, _ watched: inout WatchedStage) {
        let actor = Author(id: 1, name: text)
        let row: JSON = ["_id": .string(text), "name": .string(text), text: .array([.string(text), [text: 1]])]
        watched.tell(
            .event(event(2, model: text, .created, row: row, by: actor, at: text)),
            .event(event(3, model: text, row: ["_id": .string(text), text: 7], by: actor, at: text, changed: [text])),
            .event(event(4, model: text, .removed, row: ["_id": .string(text)], by: actor)),
            .event(event(5, row: ["_id": 1, "name": .string(text)])),
            .event(event(6, model: "message", .created, row: ["_id": 6, "body": .string(text)], by: actor)),
            .event(
                event(7, model: "message", .created, row: ["_id": 7, "body": "b", "room": .string(text)], by: actor)),
            .other(name: text, arguments: [.string(text), [text: .string(text)]]))
        watched.press(.character("w"), .character("w"), .character("l"), .character("h"), .up, .up, .up, .enter)
        watched.press(.character("D"), .character("R"), .character("J"), .up, .character("d"), .up, .up, .function(6))
        watched.press(.down, .end, .enter, .character("-"), .escape, .escape, .end)
    }

    private func pages(_ text: String, _ watched: inout WatchedStage) {
        watched.press(.function(2))
        watched.stage.answer(sessions: [
            session(.string(text), agent: .string(text), address: text, sockets: [text]), session("s2"),
        ])
        watched.look(after: "sessions")
        for _ in 0..<6 { watched.press(.down) }
        watched.press(.escape, .function(7))
        let user = UserSummary(id: 1, email: text, name: text, role: text)
        watched.stage.tell(presence: presence(user), presence(root))
        watched.stage.answer(sockets: [socket(text, user, address: text), socket("b", nil, address: text)])
        watched.look(after: "sockets")
        watched.press(.down, .down, .character("k"), .character("n"), .escape, .up, .up, .up, .character("x"))
        let request = ExplanationRequest(
            position: position(5), user: text, generation: watched.stage.state.generation)
        watched.act(.paste(Paste(text)))
        watched.press(.enter)
        watched.act(.outcome(.notExplained(request, reason: text)))
        watched.act(.outcome(.explained(request, Tour.explanation(of: text))))
        watched.press(.pageDown, .escape)
    }

    /// Whoever pastes what somebody else wrote.
    private func typing(_ text: String, _ watched: inout WatchedStage) {
        for key: Key in [.character("f"), .character("/"), .function(9), .character("i")] {
            watched.press(key)
            // How long a query may take to be read is no question of cells.
            let isQuery = watched.stage.state.prompt != nil
            watched.act(.paste(Paste(isQuery ? String(text.prefix(600)) : text)))
            watched.press(.left, .backspace, .enter)
            watched.press(.escape, .escape, .end)
        }
        watched.press(.character("F"), .character("t"), .escape, .function(1), .character("/"))
        watched.act(.paste(Paste(text)))
        watched.press(.escape, .escape, .character("i"), .control("u"))
        let history: [JSON] = [
            [
                "_id": 50, "room": .string(text), "body": .string(text), "author": 7, "name": .string(text),
                "at": .string(text),
            ]
        ]
        watched.tell(
            .answer(
                command: RequestName.join,
                Acknowledgement.joined(room: text, history: history, position: position(9)).json))
        watched.press(.escape)
    }

    private func troubles(_ text: String, _ watched: inout WatchedStage) {
        watched.act(.outcome(.notSent(text: text, reason: text)))
        watched.act(.outcome(.failed(command: text, reason: text)))
        watched.act(.outcome(.kicked(count: 1, name: text)))
        watched.act(.outcome(.exported(path: text, count: 1)))
        watched.act(.outcome(.recordingEnded(reason: text)))
        watched.tell(
            .gap(Gap(after: text, before: position(400), reason: .retention, models: [text])),
            .answer(command: text, .string(text)),
            .identity(identity(nil, epoch: 2, reason: IdentityReason(rawValue: text)), nil))
        watched.press(.function(2))
        watched.act(.paste(Paste(text)))
        watched.press(.tab)
        watched.act(.paste(Paste(text)))
        watched.act(.outcome(.loginFailed(.password, reason: text)))
        watched.act(.outcome(.loginFailed(nil, reason: text)))
        watched.press(.escape)
        watched.tell(.state(.offline(reason: text, retryIn: .seconds(3), attempt: 2)), .state(.closed(reason: text)))
    }

    @Test(
        "from a recording, escaped as JSON escapes it and with halves of surrogate pairs, it is as harmless",
        arguments: zip(Size.promised, [true, false, false, true]))
    func recorded(size: Size, isUnicode: Bool) throws {
        var watched = WatchedStage(size, isUnicode: isUnicode)
        (watched.isForeign, watched.isHasty) = (true, !isWhole)
        watched.stage.state.replay = ReplayStatus(path: "night\u{1B}[2J.jsonl", pace: .instant)
        let halves = [#"\ud800"#, #"a\udfffb"#, #"\ud83d\ud83d\udc4d"#, #"\udc4d\ud83d"#, #"\u001b[2J\u009b31m\u202e"#]
        let texts = halves + HostileTexts.all.map { "\(JSON.string($0.text))".dropFirst().dropLast() }.map(String.init)
        for (number, text) in texts.enumerated() {
            watched.scene = String(text.prefix(60))
            let lines = [
                #"{"kind":"state","state":"online","socket":"\#(text)"}"#,
                #"{"kind":"event","model":"m\#(text)","op":"updated","row":{"_id":"\#(text)","\#(text)":"\#(text)"},"#
                    + #""at":"\#(text)","by":{"_id":1,"name":"\#(text)"},"changed":["\#(text)"],"#
                    + #""position":"\#(position(Int64(number + 2)))"}"#,
                #"{"kind":"event","event":"\#(text)","arguments":["\#(text)"]}"#,
            ]
            for line in lines {
                let notice = try #require(Notice(recorded: JSON(parsing: line)), "\(line.prefix(200))")
                watched.act(.replay(.notice(notice, at: Stage.wall, server: nil)))
            }
            watched.act(.replay(.damaged(line: number, reason: text)))
        }
        watched.scene = "a replay"
        for _ in texts.indices.dropFirst(texts.count / 2) { watched.press(.up, .up) }
        for _ in 0..<8 { watched.press(.enter, .enter, .up) }
        watched.act(.replay(.over(lines: 9, fault: "\u{1B}[2J")))
    }
}
