import RolecallProtocol
import Terminal
import Testing
import WireJSON

@testable import RolecallClient

@Suite("The account's page")
struct AccountPageTests {
    private static let sessions = [
        session("s1", current: true, sockets: ["7fQ2kXb9", "other-socket"]),
        session(2, agent: nil, address: "10.0.0.7"),
    ]

    private func opened(columns: Int = 100, rows: Int = 30) -> Stage {
        var stage = Stage.busy(columns: columns, rows: rows)
        stage.press(.function(2))
        stage.answer(sessions: Self.sessions)
        return stage
    }

    @Test("says who, as what and for how long, and offers what can be done")
    func facts() {
        var stage = Stage.busy()
        #expect(stage.press(.function(2)) == [.list(.sessions, generation: stage.state.generation)])
        #expect(!stage.row("Ann <ann@example.org>").isEmpty)
        #expect(!stage.row("Role").isEmpty)
        #expect(!stage.row("(in 5 h)").isEmpty)
        #expect(stage.row("Sessions").contains("asking"))
        #expect(stage.press(.enter) == [.logOut])
        stage.act(.outcome(.loggedOut))
        stage.press(.function(2))
        #expect(stage.press(.down, .enter) == [])
        #expect(stage.press(.character("y")) == [.signOut])
        #expect(stage.press(.down, .down, .enter) == [.renew])
        #expect(stage.press(.down, .enter) == [])
        #expect(stage.state.context == .form)
        #expect(stage.row("Log in").contains("as another user, on the same socket"))
    }

    @Test("says what the user belongs to, and asks anew when that changes, which is told with what is new")
    func memberships() {
        var stage = opened(columns: 160)
        #expect(stage.row("Member of").isEmpty, "This server knows no memberships.")
        func belong(_ epoch: Int64, _ entries: [IdentityMemberships.Entry], hasMore: Bool = false) -> Identity {
            var identity = identity(ann, epoch: epoch, reason: epoch == 2 ? .cookie : .membershipChanged)
            identity.memberships = IdentityMemberships(entries: entries, hasMore: hasMore)
            return identity
        }
        stage.tell(.identity(belong(2, []), nil))
        #expect(stage.row("Member of").contains("nothing"))
        let team = IdentityMemberships.Entry(name: "team", of: 7, roles: ["editor", "owner"])
        let club = IdentityMemberships.Entry(name: "club", of: "chess\u{1b}[31m", roles: [])
        let effects = stage.act(.notice(.identity(belong(3, [team, club], hasMore: true), nil)))
        #expect(effects.contains(.list(.sessions, generation: stage.state.generation)))
        #expect(stage.row("Member of").contains("team 7 (editor, owner), club chess"))
        #expect(stage.row("Member of").contains("and more"))
        stage.press(.escape)
        #expect(!stage.row("your memberships were changed: team 7 (editor, owner) is new, club chess").isEmpty)
        stage.tell(.identity(belong(4, [.init(name: "team", of: 7, roles: [])]), nil))
        #expect(!stage.row("team 7 is now without a role, club chess").isEmpty)
        #expect(stage.row("the events above were told to").isEmpty, "It is the same user.")
    }

    @Test("lists the user's sessions and their sockets, this one's among them")
    func sessions() {
        let stage = opened()
        #expect(stage.row("Sessions").contains("Sessions  2"))
        #expect(stage.row("this one").contains("rolecall/0.1.0 (Linux)  127.0.0.1"))
        #expect(stage.row("this one").contains("used 3 min ago  ends in 5 h"))
        #expect(stage.row("7fQ2kXb9 (this one)").contains("websocket"))
        #expect(!stage.row("socket other-socket  websocket").isEmpty)
        #expect(stage.row("another").contains("unknown program  10.0.0.7"))
    }

    @Test("ends the selected session only after a yes, and asks for the list again")
    func ending() {
        var stage = opened()
        #expect(stage.press(.up, .enter) == [])
        #expect(stage.row("[y/n]").contains("End the session from 10.0.0.7 (unknown program)?"))
        #expect(stage.press(.enter) == [], "Enter is no yes.")
        #expect(stage.press(.character("n")) == [])
        #expect(stage.screen.contains("Nothing was done."))
        #expect(stage.press(.enter, .character("y")) == [.endSession("2")])
        stage.pass(.zero)
        #expect(stage.act(.outcome(.sessionEnded)) == [.list(.sessions, generation: stage.state.generation)])
        stage.answer(sessions: [Self.sessions[0]])
        #expect(stage.screen.contains("Sessions  1"))
        // What was selected is gone; the first choice has the cursor, and nothing breaks.
        #expect(stage.press(.down, .up, .enter) == [.logOut])
    }

    @Test("ending the session of this very login is signing out")
    func endingOwn() {
        var stage = opened()
        #expect(stage.press(.up, .up, .enter) == [])
        #expect(stage.row("[y/n]").contains("sign out here?"))
        #expect(stage.press(.character("y")) == [.signOut])
    }

    @Test("signs out everywhere after a yes, and tells of it as of a wish, in one line")
    func everywhere() {
        var stage = opened()
        #expect(stage.press(.down, .down, .enter) == [])
        #expect(stage.row("[y/n]").contains("Sign out everywhere (2 sessions)?"))
        #expect(stage.press(.character("y")) == [.signOutEverywhere])
        stage.tell(
            .identity(identity(nil, epoch: 2, reason: .signedOut), nil),
            .identity(identity(nil, epoch: 3, reason: .logout), nil))
        stage.act(.outcome(.signedOut(sessions: 2, remark: nil)))
        stage.tell(.answer(command: RequestName.logout, ["data": "un-registered"]))
        #expect(stage.state.page == nil)
        #expect(stage.rows.filter { $0.contains("unassociated:") }.count == 1)
        #expect(stage.row("unassociated: signed out here").contains("·"))
        #expect(stage.screen.contains("Signed out everywhere: 2 sessions ended."))
        #expect(!stage.state.staysSignedIn)
        // The next loss is none of the user's wishes.
        stage.tell(
            .identity(identity(ann, epoch: 4, reason: .login), nil),
            .identity(identity(nil, epoch: 5, reason: .signedOut), nil))
        #expect(stage.row("unassociated: the session was ended").contains("!"))
    }

    @Test("a wish that the server refuses leaves everything as it is")
    func refused() {
        var stage = opened()
        stage.press(.down, .down, .enter, .character("y"))
        stage.act(.outcome(.notSignedOut(reason: "There is no connection.")))
        #expect(stage.screen.contains("Not signed out: There is no connection."))
        #expect(stage.state.context == .account)
        stage.act(
            .outcome(.notListed(.sessions, reason: "No.\u{1B}", isDenied: false, generation: stage.state.generation)))
        #expect(stage.row("Sessions").contains("No.⟨1b⟩"))
        #expect(!stage.row("10.0.0.7").isEmpty, "What was known stays.")
    }

    @Test("asks again every five seconds while it is open, and no more when it is not")
    func reloading() {
        var stage = opened()
        stage.state.connection.measuresAt = nil
        #expect(stage.state.nextDeadline == .seconds(5))
        stage.pass(.seconds(5))
        #expect(stage.effects.last == .list(.sessions, generation: stage.state.generation))
        #expect(stage.state.nextDeadline == nil)
        let count = stage.effects.count
        stage.press(.character("r"))
        #expect(stage.effects.count == count, "One question is on its way.")
        stage.answer(sessions: Self.sessions)
        stage.press(.escape)
        #expect(stage.state.nextDeadline == nil)
    }

    @Test("a renewal that was asked for is told where it was asked for")
    func renewal() {
        var stage = opened()
        #expect(stage.press(.down, .down, .down, .enter) == [.renew])
        #expect(stage.row("Expires").contains("being renewed"))
        stage.tell(.identity(identity(ann, reason: .login), nil))
        #expect(stage.row("[ACCOUNT]").contains("The login was renewed, until"))
        #expect(stage.screen.contains("10.0.0.7"), "The same user sees the same.")
    }

    @Test("what one user was told is not shown to the next, even when it comes late")
    func lateAnswer() {
        var stage = opened()
        let generation = stage.state.generation
        stage.tell(.identity(identity(root, epoch: 2, reason: .login), nil))
        #expect(!stage.screen.contains("10.0.0.7"))
        let records = Self.sessions.compactMap(UserSession.init)
        stage.act(.outcome(.sessions(records, generation: generation)))
        #expect(!stage.screen.contains("10.0.0.7"))
        #expect(stage.effects.contains(.list(.sessions, generation: stage.state.generation)))
    }

    @Test("closes when the socket becomes nobody's, with the reason in sight")
    func loss() {
        var stage = opened()
        stage.tell(.identity(identity(nil, epoch: 2, reason: IdentityReason(rawValue: "kicked")), nil))
        #expect(stage.state.page == nil)
        #expect(stage.row("unassociated: kicked by an admin").contains("!"))
        #expect(stage.rows[0].contains("unassociated (kicked)"))
    }

    @Test(
        "every choice and session can be reached and seen at every size",
        arguments: [(120, 36), (80, 24), (60, 18), (30, 8)])
    func sizes(columns: Int, rows: Int) {
        var stage = opened(columns: columns, rows: rows)
        for item in stage.state.accountItems {
            #expect(stage.state.page == .account(item))
            let cursor = ScreenView.frame(stage.state).cursor
            let row = stage.rows[cursor?.row ?? 0]
            switch item {
            case .choice(let choice): #expect(row.contains(choice.title.prefix(20)), "\(stage.screen)")
            case .session(let id): #expect(row.contains(id == "2" ? "another" : "this one"), "\(stage.screen)")
            }
            stage.press(.down)
        }
        #expect(stage.state.page == .account(.choice(.logOut)))
    }
}
