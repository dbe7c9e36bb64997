import ModelStore
import RolecallConfiguration
import Testing

/// Who belongs where: the tables that say so, and the rules that ask for it.
@Suite struct MembershipFileTests {
    private static let schema = DatabaseSchema(
        name: "desk.db", nameComparison: .ignoringASCIICase,
        tables: [
            DatabaseSchema.Table(
                name: "people", columns: [column("id", .integer, "INTEGER"), column("email", .text, "TEXT")],
                primaryKey: ["id"]),
            DatabaseSchema.Table(
                name: "team_members",
                columns: [
                    column("id", .integer, "INTEGER"), column("user_id", .integer, "INTEGER"),
                    column("person_id", .integer, "INTEGER"), column("email", .text, "TEXT"),
                    column("team_id", .integer, "INTEGER"), column("role", .text, "TEXT"),
                    column("photo", .blob, "BLOB"),
                ],
                primaryKey: ["id"], references: ["person_id": "people", "user_id": "rolecall_user"]),
            DatabaseSchema.Table(
                name: "tickets",
                columns: [
                    column("id", .integer, "INTEGER"), column("team_id", .integer, "INTEGER"),
                    column("team_name", .text, "TEXT"), column("author", .integer, "INTEGER"),
                    column("cost", .integer, "INTEGER"), column("note", .text, "TEXT"),
                ],
                primaryKey: ["id"], references: ["author": "people"]),
            DatabaseSchema.Table(name: "rolecall_user", isOwn: true, columns: [], primaryKey: []),
            DatabaseSchema.Table(
                name: "roster", obstacle: "is a view; name the table that it shows", columns: [], primaryKey: []),
        ])

    private static func column(
        _ name: String, _ kind: Column.Kind, _ type: String
    ) -> DatabaseSchema.Column {
        DatabaseSchema.Column(name: name, kind: kind, declaredType: type, isNullable: true)
    }

    private func expect(
        _ text: String, _ expected: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(
            mistakes(in: text, against: Self.schema).map(\.description) == expected.map { "c.yml:" + $0 },
            sourceLocation: sourceLocation)
    }

    /// A file with a membership that is right, and the models that are said.
    private func file(_ models: String, memberships: String = "") -> String {
        """
        memberships:
          team: [{table: team_members, user: user_id, of: team_id, role: role}]
        \(memberships)models:
        \(models)
        """
    }

    @Test("memberships, and rules that ask for them in reading, writing and fields")
    func good() {
        let found = resolved(
            """
            memberships:
              team:
                - {table: TEAM_members, user: user_id, of: team_id, role: ROLE}
                - {table: team_members, user: {email: email}, of: team_id}
              crew: {table: team_members, user: user_id, of: team_id}
            models:
              ticket:
                table: tickets
                read: [{role: admin}, {member: {team: team_id}, when: {note: [a, b]}}]
                write: {member: {crew: team_id}}
                fields:
                  cost: {read: [{role: admin}, {member: {team: team_id, as: [owner, editor]}}], write: admin}
                  note: {write: {member: {team: team_id, as: owner}}}
              member:
                table: team_members
                read: [{role: admin}]
                update: [{role: admin}]
                create: [{role: admin, authority: true}]
            """, against: Self.schema)
        #expect(
            found.memberships == [
                MembershipSource(
                    membership: "team", table: "team_members", user: "user_id", of: "team_id", role: "role"),
                MembershipSource(
                    membership: "team", table: "team_members", user: Ownership(column: "email", name: .email),
                    of: "team_id"),
                MembershipSource(membership: "crew", table: "team_members", user: "user_id", of: "team_id"),
            ])
        let ticket = found.policy.models["ticket"]
        let member = MemberCondition("team", of: "team_id")
        #expect(
            ticket?.read == [
                Rule(role: "admin"), Rule(when: ["note": .text("a")], member: member),
                Rule(when: ["note": .text("b")], member: member),
            ])
        #expect(ticket?.create == [Rule(member: MemberCondition("crew", of: "team_id"))])
        #expect(
            ticket?.fields == [
                "cost": ColumnAccess(rules: [
                    Rule(role: "admin"),
                    Rule(member: MemberCondition("team", of: "team_id", as: ["owner", "editor"])),
                ])
            ])
        #expect(
            ticket?.writing == [
                "cost": "admin",
                "note": ColumnAccess(rules: [Rule(member: MemberCondition("team", of: "team_id", as: ["owner"]))]),
            ])
        #expect(found.policy.models["member"]?.create == [Rule(role: "admin", hasAuthority: true)])
        #expect(found.policy.models["member"]?.authorities.count == 3)
        // Those of one team need not know of those of another.
        #expect(found.policy.models["user"]?.read == [Rule(role: "admin")])
    }

    @Test("a membership that can't be understood, or names what is not there")
    func memberships() {
        expect(
            "memberships: [team]",
            [
                "1:14: memberships takes names with the tables that say who belongs there, like team: [{table: team_members, user: user_id, of: team_id, role: role}], not a list"
            ])
        expect(
            """
            memberships:
              as: [{table: team_members, user: user_id, of: team_id}]
              team: []
              crew: [{table: team_member, user: user_id, of: team_id}]
              gang: [{table: team_members, user: usr_id, of: team_id}]
              club: [{table: team_members, user: user_id}]
              band: [{table: team_members, user: user_id, of: team_id, until: ends}]
              view: [{table: roster, user: user_id, of: team_id}]
              own: [{table: rolecall_user, user: _id, of: role}]
              blob: [{table: team_members, user: photo, of: team_id}]
              text: [{table: team_members, user: email, of: team_id}]
              else: [{table: team_members, user: person_id, of: team_id}]
              role: [{table: team_members, user: user_id, of: team_id, role: photo}]
            """,
            [
                "2:3: no membership can be called as: in a rule that word names the roles",
                "3:9: team has no table, so nobody belongs anywhere; name one, or leave it out",
                #"4:18: there is no table "team_member" in desk.db; is "team_members" meant?"#,
                #"5:38: team_members has no column "usr_id"; is "user_id" meant?"#,
                "6:10: a table of the membership club needs of; write {table: team_members, user: user_id, of: team_id, role: role}",
                "7:60: a membership can't end by itself: nothing would be told then; remove the row when it ends",
                #"8:18: "roster" is a view; name the table that it shows"#,
                "9:17: the table rolecall_user is Rolecall's own and says of nobody where he belongs; name one of yours",
                #"10:38: "photo" is declared BLOB and holds no user's number, so the rule never grants; name the column that says whose row it is"#,
                #"11:38: "email" is declared TEXT and holds no user's number, so the rule never grants; where it holds an e-mail address, write user: {email: email}"#,
                #"12:38: "person_id" refers to people, and here it would be compared with the numbers of Rolecall's own users, who are others; name a column with the user's e-mail address, like user: {email: email}"#,
                #"13:66: "photo" is declared BLOB and holds no role; name the column that says what the user is there, or leave role out"#,
            ])
    }

    @Test("a rule that asks for a membership which can't be had")
    func rules() {
        expect(
            file(
                """
                  ticket:
                    table: tickets
                    read:
                      - {member: {teams: team_id}}
                      - {member: {team: team}}
                      - {member: {team: team_name}}
                      - {member: {as: owner}}
                      - {member: {team: team_id, crew: team_id}}
                      - {member: {team: team_id, as: []}}
                      - {role: guest, member: {team: team_id}}
                      - {via: team}
                """),
            [
                #"7:19: there is no membership "teams"; is "team" meant?"#,
                #"8:25: ticket has no column "team"; there are "id", "team_id", "team_name", "author", "cost" and "note""#,
                #"9:25: "team_name" is declared TEXT, and what a user belongs to as team is declared INTEGER: they are never the same, so the rule never grants"#,
                "10:18: member takes a membership with the column that names it, like {team: team_id}",
                #"11:34: member names one membership, and "team" stands here already; write a rule for each"#,
                "12:38: as names no role, so the rule never grants; name one, or leave it out",
                "13:16: a member is signed in, which guest does not ask for; leave the role out, or ask for a higher one",
                #"14:10: a rule has no "via"; it asks for a role (role: admin), for what stands in the row (when: {status: open}), for its owner (owner: user_id), for a membership (member: {team: team_id}), or for several of these"#,
            ])
        expect(
            """
            memberships: {team: {table: team_members, user: user_id, of: team_id}}
            models: {ticket: {table: tickets, read: [{member: {team: team_id, as: owner}}]}}
            """,
            [
                "2:71: team has no roles, so the rule never grants; name the column under memberships with role:, or leave as out"
            ])
    }

    @Test("a rule that grants nothing beyond another one is said to be so, for memberships, too")
    func superfluous() {
        expect(
            file(
                """
                  ticket:
                    table: tickets
                    read:
                      - {member: {team: team_id, as: [owner, editor]}}
                      - {member: {team: team_id, as: owner}}
                      - {member: {team: team_id, as: viewer}}
                """),
            ["8:9: this rule grants nothing that the one in line 7 does not grant already; leave it out"])
    }

    @Test("who may make members has to be said, where it is so and nowhere else")
    func authority() {
        expect(
            file(
                """
                  member: {table: team_members, read: [{role: user}], write: [{role: user}]}
                  ticket: {table: tickets, read: [{role: user}], create: [{role: user, authority: true}]}
                  other: {table: tickets, read: [{role: user, authority: true}]}
                """),
            [
                "4:63: team_members says who belongs to team, so that this rule lets its users make themselves and others members; if that is meant, add authority: true",
                "5:72: tickets says of nobody where he belongs; leave authority out",
                #"6:47: a rule has no "authority"; it asks for a role (role: admin), for what stands in the row (when: {status: open}), for its owner (owner: user_id), for a membership (member: {team: team_id}), or for several of these"#,
            ])
    }

    @Test("an owner or a stamp that refers to other users than Rolecall's is a mistake")
    func strangers() {
        expect(
            """
            models:
              ticket:
                table: tickets
                read: [{role: user, owner: author}]
                stamps: {author: author-id}
            """,
            [
                #"4:32: "author" refers to people, and here it would be compared with the numbers of Rolecall's own users, who are others; name a column with the user's e-mail address, like owner: {email: email}"#,
                #"5:14: "author" refers to people, and the number of a user of Rolecall's own would be written there, which means another one to that table; stamp a column that refers to nothing"#,
            ])
    }
}
