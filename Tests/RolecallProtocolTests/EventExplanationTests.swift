import RolecallProtocol
import Testing
import WireJSON

@Suite("An explanation as it travels")
struct EventExplanationTests {
    private static let ann = UserSummary(id: 3, email: "ann@example.org", name: "Ann", role: "customer")

    private static func explanation() -> EventExplanation {
        let after = EventExplanation.Side(
            isVisible: false, obstacle: nil,
            rules: [
                .init(
                    number: 1, asks: EventExplanation.Verdict.asks(role: "staff", owner: nil, when: []),
                    reasons: [.role(asked: "staff", has: "customer")]),
                .init(
                    number: 2,
                    asks: EventExplanation.Verdict.asks(
                        role: nil, owner: ("customer_id", "id"), when: [("status", "paid")]),
                    reasons: [
                        .owner(column: "customer_id", asked: 3, found: 7),
                        .value(column: "status", asked: "paid", found: nil),
                    ]),
            ], withheld: [])
        let before = EventExplanation.Side(
            isVisible: true, obstacle: nil, rules: [.init(number: 1, asks: "nothing", reasons: [])],
            withheld: [.init(field: "cost", role: "manager"), .init(field: "margin", role: nil)])
        return EventExplanation(
            position: VocabularyTests.position, model: "order", change: "updated", key: "[7,\"shirt\"]",
            at: "2026-11-22T13:42:36.123Z", by: nil, user: ann, role: "customer", told: .hidden, changed: [],
            sentence: EventExplanation.sentence(
                user: ann, role: "customer", model: "order", told: .hidden, silence: nil, before: before, after: after),
            before: before, after: after)
    }

    @Test("byte by byte, and back")
    func bytes() throws {
        let text = """
            {"position":"000000000abc-000000000000001f","model":"order","op":"updated","_id":"[7,\\"shirt\\"]",\
            "at":"2026-11-22T13:42:36.123Z","by":null,"user":{"_id":3,"email":"ann@example.org","name":"Ann",\
            "role":"customer"},"role":"customer","outcome":"hidden","changed":[],\
            "sentence":"ann@example.org (customer) gets order:remove (hidden): read rule 1 (nothing) granted it, \
            and no read rule grants it now.",\
            "before":{"visible":true,"rules":[{"number":1,"asks":"nothing","granted":true,"reasons":[]}],\
            "withheld":[{"field":"cost","role":"manager","sentence":"cost is for manager."},\
            {"field":"margin","role":null,"sentence":"margin is for no role."}]},\
            "after":{"visible":false,"rules":[{"number":1,"asks":"role staff","granted":false,"reasons":\
            [{"reason":"role","sentence":"It asks for the role staff, and this is customer.","asked":"staff",\
            "found":"customer"}]},{"number":2,"asks":"customer_id is the user's id, status is \\"paid\\"",\
            "granted":false,"reasons":[{"reason":"owner","sentence":"customer_id is 7, and the user is 3.",\
            "column":"customer_id","asked":3,"found":7},{"reason":"value",\
            "sentence":"status is something else than \\"paid\\".","column":"status","asked":"paid"}]}],"withheld":[]}}
            """
        let explanation = Self.explanation()
        #expect(explanation.json.description == text)
        #expect(EventExplanation(json: try JSON(parsing: text)) == explanation)
    }

    @Test("a refusal that can't be read never becomes a grant")
    func damaged() throws {
        let whole = Self.explanation().json
        // Every value in it is taken away, or made another, one at a time.
        func variants(_ json: JSON) -> [JSON] {
            switch json {
            case .object(let object):
                object.flatMap { key, value in
                    var without = object
                    without.removeValue(forKey: key)
                    let changed = variants(value).map { variant in
                        var copy = object
                        copy[key] = variant
                        return JSON.object(copy)
                    }
                    return [.object(without)] + changed
                } + [.null, 1]
            case .array(let items):
                items.indices.flatMap { index in
                    variants(items[index]).map { variant in
                        var copy = items
                        copy[index] = variant
                        return JSON.array(copy)
                    }
                } + ["x"]
            default: [.null, "x", 5, true]
            }
        }
        let all = variants(whole)
        #expect(all.count > 100)
        var read = 0
        for variant in all {
            guard let explanation = EventExplanation(json: variant) else { continue }
            read += 1
            #expect(explanation.after?.rules.contains { $0.isGranted } != true)
        }
        #expect(read > 10)
    }

    @Test("each outcome has its sentence")
    func sentences() {
        let granting = EventExplanation.Side(
            isVisible: true, obstacle: nil, rules: [.init(number: 2, asks: "role staff", reasons: [])], withheld: [])
        let refusing = EventExplanation.Side(
            isVisible: false, obstacle: nil,
            rules: [.init(number: 1, asks: "nothing", reasons: [.missing(column: "x")])], withheld: [])
        let closed = EventExplanation.Side(isVisible: false, obstacle: nil, rules: [], withheld: [])
        let keyless = EventExplanation.Side(
            isVisible: false, obstacle: .hiddenKey(asked: "admin", has: "guest"), rules: [], withheld: [])
        func sentence(
            _ told: ModelOperation?, _ silence: EventExplanation.Silence?, _ before: EventExplanation.Side?,
            _ after: EventExplanation.Side?
        ) -> String {
            EventExplanation.sentence(
                user: nil, role: "guest", model: "note", told: told, silence: silence, before: before, after: after)
        }
        let who = "Whoever is not signed in (guest) gets"
        #expect(
            sentence(.created, nil, nil, granting)
                == "\(who) note:save (created): read rule 2 (role staff) grants it.")
        #expect(
            sentence(.created, nil, refusing, granting)
                == "\(who) note:save (created): read rule 2 (role staff) grants it, and did not before.")
        #expect(
            sentence(.updated, nil, granting, granting)
                == "\(who) note:save (updated): read rule 2 (role staff) grants it.")
        #expect(
            sentence(.hidden, nil, granting, refusing)
                == "\(who) note:remove (hidden): read rule 2 (role staff) granted it, and no read rule grants it now.")
        #expect(
            sentence(.removed, nil, granting, nil)
                == "\(who) note:remove (removed): read rule 2 (role staff) granted it.")
        #expect(sentence(nil, .notVisible, nil, refusing) == "\(who) nothing: no read rule grants it.")
        #expect(sentence(nil, .notVisible, refusing, nil) == "\(who) nothing: no read rule grants it.")
        #expect(sentence(nil, .notVisible, nil, closed) == "\(who) nothing: there is no read rule.")
        #expect(sentence(nil, .notVisible, nil, keyless) == "\(who) nothing: the key is out of sight.")
        #expect(
            sentence(nil, .onlyHiddenChanges(["cost"]), granting, granting)
                == "\(who) nothing: all that changed is out of sight (cost).")
        #expect(
            sentence(nil, .onlyHiddenChanges([]), granting, granting)
                == "\(who) nothing: all that changed is out of sight.")
        #expect(sentence(nil, .noRules, nil, nil) == "\(who) nothing: there are no rules for note.")
        #expect(sentence(nil, .noRow, nil, nil) == "\(who) nothing: this is about no row.")
    }

    @Test("a long value is cut in a sentence, and whole in its facts")
    func longValue() {
        let long = JSON.string(String(repeating: "é", count: 500))
        let reason = EventExplanation.Reason.value(column: "c", asked: 1, found: long)
        #expect(reason.sentence.count < 120)
        #expect(reason.sentence.contains("...") && reason.sentence.hasSuffix("and the rule asks for 1."))
        #expect(reason.facts["found"] == long)
    }
}
