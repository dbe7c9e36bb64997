import TestSupport
import Testing
import WireJSON

@Suite struct JSONObjectTests {
    @Test("members keep their order from text to text", arguments: [3, 16, 17, 100])
    func order(count: Int) throws {
        var random = Seeded(UInt64(count))
        let keys = (0..<count).map { "k\($0)" }.shuffled(using: &random)
        let text = "{" + keys.map { "\"\($0)\":1" }.joined(separator: ",") + "}"
        let value = try JSON(parsing: text)
        #expect(value.objectValue?.keys == keys)
        #expect(value.description == text)
    }

    @Test("of a key that comes twice the last value stands, at the first place", arguments: [2, 40])
    func duplicates(count: Int) throws {
        let others = (0..<count).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
        let object = try #require(try JSON(parsing: "{\"a\":1,\(others),\"a\":2,\"k1\":3}").objectValue)
        #expect(object.count == count + 1)
        #expect(object.keys.first == "a")
        #expect(object["a"] == 2)
        #expect(object["k1"] == 3)
        #expect(JSONObject([("a", 1), ("b", 2), ("a", 3)]) == ["a": 3, "b": 2])
        #expect(["a": 1, "a": 2] as JSON == ["a": 2])
    }

    @Test("members can be set, replaced and removed at any size")
    func mutation() {
        var object = JSONObject()
        var model: [(String, Int64)] = []
        var random = Seeded(0xB0B)
        for step in 0..<4000 {
            let key = "k\(random.below(step < 2000 ? 60 : 12))"
            let place = model.firstIndex { $0.0 == key }
            if random.below(3) == 0 {
                #expect(object[key]?.integerValue == place.map { model[$0].1 })
                object[key] = nil
                if let place { model.remove(at: place) }
            } else {
                object[key] = .integer(Int64(step))
                if let place { model[place].1 = Int64(step) } else { model.append((key, Int64(step))) }
            }
            #expect(object.keys == model.map(\.0))
            #expect(object.values == model.map { .integer($0.1) })
        }
    }

    @Test("a null member is there, a removed one is not")
    func nullIsNotAbsent() {
        var object: JSONObject = ["a": nil]
        #expect(object["a"] == .some(.null))
        #expect(object["b"] == nil)
        #expect(object.removeValue(forKey: "a") == .some(.null))
        #expect(object.removeValue(forKey: "a") == nil)
        #expect(object.isEmpty)
    }

    @Test("objects are equal whatever the order of their keys", arguments: [2, 30])
    func equality(count: Int) {
        var random = Seeded(7)
        let members = (0..<count).map { ("k\($0)", JSON.integer(Int64($0))) }
        let one = JSONObject(members)
        let other = JSONObject(members.shuffled(using: &random))
        #expect(one == other)
        #expect(one.hashValue == other.hashValue)
        #expect(JSON.object(one).hashValue == JSON.object(other).hashValue)
        var changed = other
        changed["k1"] = "different"
        #expect(one != changed)
        changed["k1"] = nil
        #expect(one != changed)
        changed["k_"] = 1
        #expect(one != changed)
    }

    @Test("keys and strings that only look alike are different")
    func textIsComparedByItsBytes() throws {
        let composed = "\u{E9}"
        let decomposed = "e\u{301}"
        #expect(composed == decomposed, "Swift's strings see no difference")
        #expect(JSON.string(composed) != JSON.string(decomposed))
        #expect(Set([JSON.string(composed), .string(decomposed)]).count == 2)
        let object = try #require(try JSON(parsing: "{\"\(composed)\":1,\"\(decomposed)\":2}").objectValue)
        #expect(object.count == 2)
        #expect(object[composed] == 1)
        #expect(object[decomposed] == 2)
    }

    @Test("an object of a hundred thousand keys costs no quadratic work")
    func manyKeys() throws {
        let text = "{" + (0..<100_000).map { "\"key number \($0)\":\($0)" }.joined(separator: ",") + "}"
        let started = ContinuousClock.now
        let object = try #require(try JSON(parsing: text).objectValue)
        #expect(object.count == 100_000)
        #expect(object["key number 99999"] == 99_999)
        #expect(ContinuousClock.now - started < .seconds(10))
    }

    @Test("keys that are canonically equivalent cannot be made to collide")
    func equivalentKeys() throws {
        // Combining marks of different classes: every order of them is the same text to `String`.
        let marks = ["\u{301}", "\u{323}", "\u{31B}", "\u{327}", "\u{345}", "\u{334}", "\u{5B0}"]
        var keys = [""]
        for mark in marks {
            keys = keys.flatMap { key in
                let scalars = Array(key.unicodeScalars)
                return (0...scalars.count).map { place in
                    var text = String.UnicodeScalarView(scalars[..<place])
                    text.append(contentsOf: mark.unicodeScalars)
                    text.append(contentsOf: scalars[place...])
                    return String(text)
                }
            }
        }
        #expect(keys.count == 5040)
        #expect(Set(keys).count == 1)
        let text = "{" + keys.map { "\"a\($0)\":1" }.joined(separator: ",") + "}"
        let started = ContinuousClock.now
        #expect(try JSON(parsing: text).objectValue?.count == 5040)
        #expect(ContinuousClock.now - started < .seconds(5))
    }
}
