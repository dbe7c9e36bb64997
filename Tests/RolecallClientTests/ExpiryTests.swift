import RolecallProtocol
import Terminal
import Testing
import WireJSON

@testable import RolecallClient

@Suite("A login's end on the screen")
struct ExpiryTests {
    private static let soon = Timestamp(milliseconds: Stage.wall.milliseconds + 60_000)

    private func signedIn(stays: Bool, columns: Int = 120) -> Stage {
        var stage = Stage(columns: columns, rows: columns < 60 ? 8 : 24)
        stage.connect(as: ann)
        stage.state.staysSignedIn = stays
        return stage
    }

    @Test("is counted down on the line of identity and offered for renewal, where nobody stays signed in")
    func offered() {
        var stage = signedIn(stays: false)
        #expect(stage.state.nextDeadline == nil)
        stage.tell(.expiring(Self.soon))
        #expect(stage.effects == [.measureLatency])
        #expect(stage.rows[0].contains("ann@example.org (user) expires in 60 s"))
        #expect(stage.row("the login expires in 60 s").contains("!"))
        #expect(stage.rows[22].contains("F2 renews the login"))
        #expect(stage.state.nextDeadline == .seconds(1))
        stage.press(.function(2))
        #expect(stage.press(.down, .down, .down, .enter) == [.renew])
    }

    @Test("is still told at the smallest size")
    func small() {
        var stage = signedIn(stays: false, columns: 30)
        stage.tell(.expiring(Self.soon))
        #expect(stage.rows[0].contains("(user) 60 s"), "\(stage.rows[0])")
        #expect(stage.rows[0].contains("online"))
        stage.tell(.identity(identity(nil, epoch: 2, reason: .expired), nil))
        #expect(stage.rows[0].contains("unassociated"))
    }

    @Test("is put off by itself where the user stays signed in, and that is said")
    func renewed() {
        var stage = signedIn(stays: true)
        stage.tell(.expiring(Self.soon))
        #expect(stage.effects.last == .renew)
        #expect(!stage.row("and is being renewed").isEmpty)
        stage.act(.outcome(.renewal(.renewed(remark: nil))))
        stage.tell(.identity(identity(ann, reason: .login), nil))
        #expect(!stage.row("the login was renewed, until").isEmpty)
        #expect(!stage.rows[0].contains("expires"))
        #expect(stage.state.renewal == .idle)
        // The next login is one.
        stage.tell(.identity(identity(ann, epoch: 2, reason: .login), nil))
        #expect(!stage.row("you are ann@example.org (user) by login").isEmpty)
    }

    @Test("a server that only acknowledges the new token has renewed the login too")
    func acknowledged() {
        var stage = signedIn(stays: true)
        stage.tell(.expiring(Self.soon), .answer(command: RequestName.renewal, ["data": "registered"]))
        #expect(!stage.row("the login was renewed").isEmpty)
        #expect(!stage.rows[0].contains("expires"))
        stage.tell(.expiring(Self.soon))
        #expect(stage.effects.filter { $0 == .renew }.count == 2)
        stage.tell(.answer(command: RequestName.renewal, ["error": "token_revoked", "message": "No."]))
        #expect(stage.state.renewal == .underWay, "The outcome says so.")
    }

    @Test("a renewal that fails is tried again until the end; one that is refused is not")
    func failing() {
        var stage = signedIn(stays: true)
        stage.tell(.expiring(Self.soon), .expiring(Self.soon))
        #expect(stage.effects.filter { $0 == .renew }.count == 1)
        stage.act(.outcome(.renewal(.failed(reason: "Nobody answers."))))
        #expect(stage.rows[22].contains("not renewed yet: Nobody answers."))
        stage.pass(.seconds(5))
        #expect(stage.effects.filter { $0 == .renew }.count == 2)
        stage.act(.outcome(.renewal(.refused(reason: "The session has ended."))))
        #expect(stage.row("the login was not renewed: The session").contains("!"))
        stage.pass(.seconds(5))
        #expect(stage.effects.filter { $0 == .renew }.count == 2)
    }

    @Test("leaves the form with the e-mail filled in, and the cursor at the password")
    func form() {
        var stage = signedIn(stays: false)
        stage.tell(.expiring(Self.soon), .identity(identity(nil, epoch: 2, reason: .expired), nil))
        #expect(stage.rows[0].contains("unassociated (expired)"))
        #expect(stage.press(.function(2)) == [])
        #expect(stage.row("E-mail").contains("ann@example.org"))
        guard case .login(let form) = stage.state.page else {
            Issue.record("F2 opens no form.")
            return
        }
        #expect(form.field == .password)
        // Who has left by wish leaves the form to anybody.
        stage.press(.escape)
        stage.tell(
            .identity(identity(ann, epoch: 3, reason: .login), nil),
            .identity(identity(nil, epoch: 4, reason: .logout), nil))
        #expect(!stage.rows[0].contains("("))
        stage.press(.function(2))
        #expect(!stage.row("E-mail").contains("ann"))
    }

    @Test(
        "every change of identity is a line, with its reason in words",
        arguments: [
            ("expired", "the login has expired", "expired"), ("signed_out", "the session was ended", "signed out"),
            ("password_changed", "the password was changed", "password changed"),
            ("user_removed", "the account was removed", "removed"), ("kicked", "kicked by an admin", "kicked"),
            ("token_expired", "the login had expired", "login expired"),
            ("token_revoked", "the login was revoked", "login revoked"),
            ("token_invalid", "the server does not accept the login", "login refused"),
            ("user_unknown", "the login's account is not there", "no such user"),
            ("new_reason\u{1B}", "new reason⟨1b⟩", "new reason⟨1b⟩"),
        ])
    func words(reason: String, clause: String, short: String) {
        var stage = signedIn(stays: true)
        stage.tell(.identity(identity(nil, epoch: 2, reason: IdentityReason(rawValue: reason)), nil))
        #expect(stage.row("unassociated: \(clause)").contains("!"), "\(stage.screen)")
        #expect(stage.rows[0].contains("unassociated (\(short))"))
        let isForGood = ["user_removed", "user_unknown"].contains(reason)
        #expect(stage.rows[22].contains("F2 logs in \(isForGood ? "with another account" : "again"): \(clause)"))
        stage.press(.function(2))
        #expect(stage.row("E-mail").contains("ann@example.org") == !isForGood)
    }

    @Test("who is back by a saved login is not asked to log in")
    func back() {
        var stage = signedIn(stays: true)
        stage.tell(.identity(identity(nil, epoch: 2, reason: IdentityReason(rawValue: "kicked")), nil))
        #expect(stage.rows[22].contains("F2 logs in again"))
        stage.connect(as: ann)
        #expect(!stage.rows[22].contains("F2 logs in again"), "\(stage.screen)")
    }

    @Test("a new role and a new name are told with the old ones")
    func changes() {
        var stage = signedIn(stays: true)
        var user = ann
        user.role = "admin"
        stage.tell(.identity(identity(user, epoch: 2, reason: .roleChanged), nil))
        // The login's end would be read as the role's.
        let line = stage.row("you are ann@example.org (admin): your role was changed from user")
        #expect(!line.isEmpty && !line.contains("until"), "\(stage.screen)")
        #expect(stage.rows[0].contains("(admin)"))
        user.name = "Anna"
        stage.tell(.identity(identity(user, epoch: 3, reason: .userChanged), nil))
        #expect(!stage.row("your name from Ann to Anna").isEmpty)
    }

    @Test("an answer of the server that is no moment changes nothing")
    func extremes() {
        var stage = signedIn(stays: false)
        for milliseconds in [Int64.min, .max, 0] {
            stage.tell(.expiring(Timestamp(milliseconds: milliseconds)))
            #expect(stage.rows[0].contains("(user)"))
            _ = stage.state.nextDeadline
            stage.press(.function(2), .function(2))
        }
    }
}
