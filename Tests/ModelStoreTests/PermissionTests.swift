import ModelStore
import Testing

@Suite("Who may write what")
struct PermissionTests {
    /// Users create notes in their own name, change open ones and their own, and remove their own; admins everything.
    static let policy = Policy(
        roles: ["guest", "user", "admin"],
        models: [
            "note": ModelPolicy(
                read: [Rule()], create: [Rule(role: "user", owner: "owner"), Rule(role: "admin")],
                update: [
                    Rule(role: "user", when: ["open": .boolean(true)]), Rule(role: "user", owner: "owner"),
                    Rule(role: "admin"),
                ], remove: [Rule(role: "user", owner: "owner"), Rule(role: "admin")], fields: ["cost": "admin"],
                stamps: ["owner": .authorID, "at": .now])
        ])
    let user = Writer(user: 2, role: "user")
    let admin = Writer(user: 1, role: "admin")
    let guest = Writer(user: 3, role: "guest")

    @Test("creating: by role, and only rows that a rule grants")
    func create() {
        let policy = Self.policy
        #expect(policy.mayCreate("note", as: user))
        #expect(policy.mayCreate("note", as: admin))
        #expect(!policy.mayCreate("note", as: guest))
        #expect(!policy.mayCreate("note", as: nil))
        #expect(!policy.mayCreate("other", as: admin))
        #expect(policy.mayCreate(note(owner: 2), of: "note", as: user))
        #expect(!policy.mayCreate(note(owner: 1), of: "note", as: user))
        #expect(policy.mayCreate(note(owner: 2), of: "note", as: admin))
        #expect(!policy.mayCreate(note(owner: 3), of: "note", as: guest))
        #expect(!policy.mayCreate(note(owner: 2), of: "other", as: admin))
        #expect(!policy.mayCreate(note(owner: 2), of: "note", as: nil))
    }

    @Test("updating: the row must be one's to change before and after")
    func update() {
        let policy = Self.policy
        #expect(policy.mayUpdate(note(text: "a"), to: note(text: "b"), of: "note", as: user))
        #expect(policy.mayUpdate(note(open: false, owner: 2), to: note(owner: 2), of: "note", as: user))
        // Out of his own reach, into it, and into somebody else's.
        #expect(!policy.mayUpdate(note(), to: note(open: false), of: "note", as: user))
        #expect(!policy.mayUpdate(note(open: false), to: note(), of: "note", as: user))
        #expect(!policy.mayUpdate(note(open: false, owner: 2), to: note(open: false, owner: 3), of: "note", as: user))
        #expect(policy.mayUpdate(note(open: false), to: note(), of: "note", as: admin))
        #expect(!policy.mayUpdate(note(), to: note(), of: "note", as: guest))
        #expect(!policy.mayUpdate(note(), to: note(), of: "note", as: nil))
        #expect(!policy.mayUpdate(note(), to: note(), of: "other", as: admin))
    }

    @Test("removing: by role and owner")
    func remove() {
        let policy = Self.policy
        #expect(policy.mayRemove(note(owner: 2), of: "note", as: user))
        #expect(!policy.mayRemove(note(owner: 3), of: "note", as: user))
        #expect(!policy.mayRemove(note(), of: "note", as: user))
        #expect(policy.mayRemove(note(), of: "note", as: admin))
        #expect(!policy.mayRemove(note(owner: 3), of: "note", as: guest))
        #expect(!policy.mayRemove(note(owner: 2), of: "note", as: nil))
    }

    @Test("columns: those that one sees, and none that the server fills in")
    func columns() {
        let policy = Self.policy
        #expect(policy.mayWrite(column: "text", of: "note", as: user))
        #expect(!policy.mayWrite(column: "cost", of: "note", as: user))
        #expect(policy.mayWrite(column: "cost", of: "note", as: admin))
        #expect(!policy.mayWrite(column: "owner", of: "note", as: admin))
        #expect(!policy.mayWrite(column: "at", of: "note", as: admin))
        #expect(!policy.mayWrite(column: "text", of: "other", as: admin))
    }

    @Test("a misspelt role opens nothing, on neither side")
    func misspelt() {
        var policy = Self.policy
        let stranger = Writer(user: 2, role: "amdin")
        #expect(!policy.mayCreate(note(owner: 2), of: "note", as: stranger))
        #expect(!policy.mayWrite(column: "cost", of: "note", as: stranger))
        policy.models["note"] = ModelPolicy(
            read: [], create: [Rule(role: "amdin")], remove: [Rule(role: "amdin")], fields: ["cost": "amdin"])
        #expect(!policy.mayCreate("note", as: admin))
        #expect(!policy.mayRemove(note(), of: "note", as: admin))
        #expect(!policy.mayWrite(column: "cost", of: "note", as: admin))
    }

    @Test("ranks: later roles may more, unknown ones the least")
    func ranks() {
        let policy = Self.policy
        #expect(policy.rank(of: "guest") == 0)
        #expect(policy.rank(of: "admin") == 2)
        #expect(policy.rank(of: "amdin") == 0)
        #expect(policy.rank(of: nil) == 0)
        #expect(policy.threshold(of: "admin") == 2)
        #expect(policy.threshold(of: "amdin") == .max)
        #expect(policy.lowestRole == "guest")
    }
}
