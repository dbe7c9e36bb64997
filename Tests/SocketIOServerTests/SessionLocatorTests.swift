import CoreMetrics
import Logging
import NIOEmbedded
import TestSupport
import Testing

@testable import SocketIOServer

@Suite("Session ids")
struct SessionLocatorTests {
    private func hubs(_ count: Int) -> [SocketHub] {
        (0..<count).map {
            SocketHub(
                eventLoop: EmbeddedEventLoop(), index: $0, configuration: .init(),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                metrics: SocketIOServerMetrics(factory: NOOPMetricsHandler.instance))
        }
    }

    /// The index of the hub that an id leads to; nil for an id that is unknown.
    private func index(of id: String, _ locator: SessionLocator) -> Int? {
        switch locator.home(of: id) {
        case .loop(let hub): hub.index
        case .unknown: nil
        }
    }

    @Test("an id leads to the event loop that it was made for", arguments: [1, 2, 300])
    func roundTrip(count: Int) {
        let hubs = hubs(count)
        let locator = SessionLocator(hubs: hubs)
        var ids: Set<String> = []
        for hub in hubs {
            for _ in 0..<10 {
                let id = locator.makeID(on: hub)
                #expect(index(of: id, locator) == hub.index)
                ids.insert(id)
            }
        }
        #expect(ids.count == 10 * count)
    }

    @Test("an id is 28 characters that need no escape in a URL")
    func characters() {
        let hubs = hubs(1)
        let id = SessionLocator(hubs: hubs).makeID(on: hubs[0])
        #expect(id.utf8.count == 28)
        #expect(id.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
    }

    @Test("an id shows nothing of its event loop: no place of it has the same character in all ids of one loop")
    func masked() {
        let hubs = hubs(2)
        let locator = SessionLocator(hubs: hubs)
        let ids = (0..<300).map { _ in Array(locator.makeID(on: hubs[1])) }
        for place in 0..<28 {
            // 300 draws of 64 characters.
            #expect(Set(ids.map { $0[place] }).count > 48, "place \(place)")
        }
    }

    @Test("an id of which one character was changed is unknown")
    func altered() {
        let hubs = hubs(64)
        let locator = SessionLocator(hubs: hubs)
        let id = Array(locator.makeID(on: hubs[5]))
        for place in id.indices {
            for digit in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" where digit != id[place] {
                var altered = id
                altered[place] = digit
                #expect(index(of: String(altered), locator) == nil)
            }
        }
    }

    @Test("a part of one id and the rest of another are no id")
    func spliced() {
        let hubs = hubs(2)
        let locator = SessionLocator(hubs: hubs)
        let (one, two) = (locator.makeID(on: hubs[0]), locator.makeID(on: hubs[1]))
        for end in 1..<28 {
            let spliced = String(one.prefix(end) + two.dropFirst(end))
            if spliced != one, spliced != two { #expect(index(of: spliced, locator) == nil, "up to \(end)") }
        }
    }

    @Test("an id that another server made is unknown")
    func foreign() {
        let hubs = hubs(2)
        let (one, two) = (SessionLocator(hubs: hubs), SessionLocator(hubs: hubs))
        for hub in hubs { #expect(index(of: one.makeID(on: hub), two) == nil) }
    }

    @Test("no text is taken for an id that is none", .computes)
    func hostile() {
        let hubs = hubs(2)
        let locator = SessionLocator(hubs: hubs)
        let id = locator.makeID(on: hubs[0])
        for text in [
            "", "A", String(id.dropLast()), id + "A", id + "=", id + "==", " " + id.dropFirst(),
            String(repeating: "A", count: 28), String(repeating: "é", count: 14), String(repeating: "=", count: 28),
            String(id.prefix(26)) + "==", String(repeating: "A", count: 100_000),
        ] {
            #expect(index(of: text, locator) == nil, "\(text.prefix(40))")
        }
        var random = TestSupport.Seeded(0x51D)
        for _ in 0..<HostileInputs.perDecoder {
            let bytes = random.hostileBytes(like: [Array(id.utf8)], alphabet: Array("AZaz09-_=".utf8))
            let text = String(decoding: bytes, as: UTF8.self)
            if text != id, index(of: text, locator) != nil { Issue.record("\(text) was taken for an id") }
        }
    }
}
