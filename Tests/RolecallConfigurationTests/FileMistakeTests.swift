import RolecallConfiguration
import Testing

/// Settings, roles, rooms and retention.
@Suite struct FileMistakeTests {
    @Test("a name at the top that is not known is told with the nearest")
    func unknownNames() {
        expectMistakes(
            in: """
                prot: 9000
                allowed_origin: x
                model: {}
                xyzzy: 1
                """,
            [
                #"1:1: a configuration has no "prot"; is "port" meant?"#,
                #"2:1: a configuration has no "allowed_origin"; is "allowed-origin" meant?"#,
                #"3:1: a configuration has no "model"; is "models" meant?"#,
                #"4:1: a configuration has no "xyzzy"; there are "roles", "memberships", "models", "rooms", "#
                    + #""retention", "allowed-origin", "host", "key-file", "port" and "sign-up""#,
            ])
    }

    @Test("a setting has a value, or several")
    func settings() {
        expectMistakes(
            in: """
                port:
                host: {a: 1}
                allowed-origin: [a, [b]]
                """,
            [
                "1:6: port takes a value, or a list of values, not nothing",
                "2:7: host takes a value, or a list of values, not a mapping",
                "3:21: allowed-origin takes a value, or a list of values, not a list",
            ])
    }

    @Test("roles are a list of at least two names, each once")
    func roles() {
        expectMistakes(
            in: """
                roles: guest
                """,
            [
                #"1:8: roles takes a list from the lowest to the highest, not "guest""#
            ])
        expectMistakes(
            in: """
                roles: []
                """,
            [
                "1:8: roles takes at least two: that of those who are not signed in, and that of those who are"
            ])
        expectMistakes(
            in: """
                roles: [user]
                """,
            [
                "1:8: roles takes at least two: that of those who are not signed in, and that of those who are"
            ])
        expectMistakes(
            in: """
                roles: [a, b, a]
                """,
            [
                #"1:15: the role "a" stands in roles already; keep one of them"#
            ])
        expectMistakes(
            in: """
                roles: [everyone, nobody, "two words", {a: 1}, ~]
                """,
            [
                "1:9: no role can be called everyone: that word stands for all or for none",
                "1:19: no role can be called nobody: that word stands for all or for none",
                #"1:27: "two words" can't be a role: a name has letters, digits, _ and -, 64 at most"#,
                "1:40: roles takes names of roles, not a mapping",
                "1:48: roles takes names of roles, not nothing",
            ])
    }

    @Test("a role that is not in the list is told wherever it stands, with the nearest")
    func unknownRoles() {
        expectMistakes(
            in: """
                roles: [guest, staff, manager]
                rooms: {lobby: user, office: {read: manger}}
                models:
                  order:
                    table: orders
                    read: [{role: stuff}, {role: boss}]
                    fields: {state: {read: mangaer}}
                """,
            [
                #"2:16: there is no role "user"; there are "guest", "staff" and "manager""#,
                #"2:37: there is no role "manger"; is "manager" meant?"#,
                #"6:19: there is no role "stuff"; is "staff" meant?"#,
                #"6:34: there is no role "boss"; there are "guest", "staff" and "manager""#,
                #"7:28: there is no role "mangaer"; is "manager" meant?"#,
            ])
    }

    @Test("rooms have roles, and nobody writes where he does not read")
    func rooms() {
        expectMistakes(
            in: """
                rooms: [lobby]
                """,
            [
                "1:8: rooms takes names with roles, like lobby: user, not a list"
            ])
        expectMistakes(
            in: """
                rooms:
                  lobby:
                  office: {}
                  yard: [user]
                  den: {red: user}
                  "": user
                  hall: {read: admin, write: user}
                  "team-*": user
                  team-{team}: user
                """,
            [
                #"2:9: the room "lobby" takes a role, or {read: role, write: role}, not nothing"#,
                #"3:11: the room "office" names no role; write {read: role, write: role}"#,
                #"4:9: the room "yard" takes a role, or {read: role, write: role}, not a list"#,
                #"5:9: the room "den" has no "red"; is "read" meant?"#,
                "6:3: a room's name has 1 to 100 characters",
                #"7:30: the room "hall" is read from admin on: nobody writes what he does not see; "#
                    + "write needs admin or a higher role",
                #"8:3: the room "team-*" looks like a pattern, and each room is named by itself; leave out *, ?, { and }"#,
                #"9:3: the room "team-{team}" looks like a pattern, and each room is named by itself; leave out *, ?, { and }"#,
            ])
    }

    @Test("retention is an age and a number of events within bounds")
    func retention() {
        expectMistakes(
            in: """
                retention: 30d
                """,
            [
                #"1:12: retention takes {age: 30d, events: 1000000}, or one of them, not "30d""#
            ])
        expectMistakes(
            in: """
                retention: {}
                """,
            [
                "1:12: retention says nothing; write {age: 30d, events: 1000000}, or one of them, or leave it out"
            ])
        expectMistakes(
            in: """
                retention: {age: 30, events: 10}
                """,
            [
                #"1:18: age takes a time like 12h or 30d, from 1 minute to 100 years, not "30""#,
                #"1:30: events takes the number of events that are kept at most, from 1000 on, not "10""#,
            ])
        expectMistakes(
            in: """
                retention: {age: 1s, events: many, size: 3}
                """,
            [
                #"1:18: age takes a time like 12h or 30d, from 1 minute to 100 years, not "1s""#,
                #"1:30: events takes the number of events that are kept at most, from 1000 on, not "many""#,
                #"1:36: retention has no "size"; there are "age" and "events""#,
            ])
        expectMistakes(
            in: """
                retention: {age: 99999999999999999999d, events: "5000"}
                """,
            [
                #"1:18: age takes a time like 12h or 30d, from 1 minute to 100 years, not "99999999999999999999d""#,
                #"1:49: events takes the number of events that are kept at most, from 1000 on, not "5000""#,
            ])
        expectMistakes(
            in: """
                retention: {age: 4000000000000000000d}
                """,
            [
                #"1:18: age takes a time like 12h or 30d, from 1 minute to 100 years, not "4000000000000000000d""#
            ])
    }
}
