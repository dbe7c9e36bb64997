import ModelStore
import Testing

@Suite("What a user belongs to")
struct MembershipsTests {
    private let all: Memberships = [
        Membership(name: "team", value: .integer(7), roles: ["owner"]),
        Membership(name: "team", value: .real(7), roles: ["editor"]),
        Membership(name: "team", value: .null, roles: ["owner"]), Membership(name: "team", value: .real(.nan)),
        Membership(name: "team", value: .text("7")), Membership(name: "club", value: .boolean(true)),
    ]

    @Test("is a set: doubles change nothing, roles unite, NULL belongs nowhere")
    func set() {
        #expect(all.count == 3)
        #expect(all.names == ["club", "team"])
        #expect(all.roles(in: .integer(7), of: "team") == ["owner", "editor"])
        #expect(all.roles(in: .real(7), of: "team") == ["owner", "editor"])
        #expect(all.roles(in: .text("7"), of: "team") == [])
        #expect(all.roles(in: .integer(1), of: "club") == [])
        #expect(all.roles(in: .null, of: "team") == nil)
        #expect(all.roles(in: .integer(8), of: "team") == nil)
        #expect(all.roles(in: .integer(7), of: "club") == nil)
        #expect(all == Memberships(all.sorted().reversed()))
        #expect(Set([all, Memberships(all.sorted().reversed())]).count == 1)
        #expect(Memberships.none == [Membership(name: "team", value: .null)])
        #expect(
            all.sorted() == [
                Membership(name: "club", value: .integer(1)),
                Membership(name: "team", value: .integer(7), roles: ["owner", "editor"]),
                Membership(name: "team", value: .text("7")),
            ])
        #expect(all.sorted(limit: 2).count == 2)
    }

    @Test("is compared by what it has and lacks")
    func comparison() {
        let fewer: Memberships = [Membership(name: "team", value: .integer(7), roles: ["owner"])]
        #expect(all.containsAll(of: fewer))
        #expect(all.containsAll(of: .none))
        #expect(!fewer.containsAll(of: all))
        #expect(!fewer.containsAll(of: [Membership(name: "team", value: .integer(7), roles: ["editor"])]))
        #expect(all.differences(from: fewer) == ["team", "club"])
        #expect(all.differences(from: all) == [])
        #expect(all.reduced(to: ["club"]) == [Membership(name: "club", value: .integer(1))])
        #expect(all.reduced(to: ["team", "club", "crew"]) == all)
    }

    @Test("is enlarged, it never sees less; and what is out of a view's reach is no part of it")
    func views() {
        let policy = Policy(
            roles: ["guest", "user", "admin"],
            models: [
                "ticket": ModelPolicy(
                    read: [Rule(role: "admin"), Rule(member: MemberCondition("team", of: "team_id"))]),
                "note": ModelPolicy(
                    read: [Rule(role: "user")],
                    fields: ["cost": ColumnAccess(rules: [Rule(member: MemberCondition("club", of: "club_id"))])]),
            ])
        let user = policy.view(role: "user", user: 1, memberships: all)
        #expect(user.owner == nil)
        #expect(user.memberships == all)
        #expect(policy.view(user, in: "ticket").memberships == all.reduced(to: ["team"]))
        #expect(policy.view(user, in: "note").memberships == all.reduced(to: ["club"]))
        #expect(policy.view(role: "admin", user: 1, memberships: all).memberships == all.reduced(to: ["club"]))
        #expect(policy.view(role: nil, user: nil, memberships: all).memberships == nil)
        #expect(user.sees(allThat: policy.view(role: "user", user: 2)))
        #expect(!policy.view(role: "user", user: 2).sees(allThat: user))
        // Those without a team may see some one day, and have an empty list until then.
        #expect(policy.visibleModels(to: policy.view(role: "user", user: 2)) == ["note", "ticket"])
        #expect(policy.visibleModels(to: policy.view(role: nil, user: nil)) == [])
        #expect(policy.models(decidedBy: ["team"], at: 1) == ["ticket"])
        #expect(policy.models(decidedBy: ["team"], at: 2) == [])
        #expect(policy.models(decidedBy: ["club"], at: 1) == ["note"])
        #expect(policy.goesByMemberships)
    }
}
