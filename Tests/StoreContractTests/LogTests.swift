import MemoryStore
import ModelStore
import RolecallProtocol
import TestSupport
import Testing

@Suite("The store's contract: the log")
struct LogTests {
    @Test(
        "a list followed from its position ends in the state of the table, with writers at work meanwhile",
        arguments: StoreKind.allCases, [1, 2, 3] as [UInt64])
    func lists(_ kind: StoreKind, seed: UInt64) async throws {
        let tested = try await kind.open()
        let store = tested.store
        let ada = try await store.member("ada")
        let isOver = Shared(false)
        let writers = (0..<4).map { writer in
            Task {
                var random = Seeded(seed * 100 + UInt64(writer))
                for step in 0..<40 { try await Self.write(&random, "\(writer).\(step)", ada, store) }
            }
        }
        // Positions that come later, here and there.
        let sequencer = Task {
            guard let memory = tested as? MemoryTestStore else { return }
            memory.memory.holdPositions()
            while !isOver.value {
                memory.memory.numberNow()
                try? await Task.sleep(for: .milliseconds(1))
            }
            memory.memory.releasePositions()
        }
        var folds: [Fold] = []
        for _ in 0..<4 {
            let list = try await store.page(PageQuery(of: store.model("thing"), positioned: true))
            let start = Dictionary(list.rows.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
            folds.append(try await Fold(store, from: LogCursor(#require(list.position)), start: start))
            try await Task.sleep(for: .milliseconds(5))
        }
        for writer in writers { try await writer.value }
        isOver.change { $0 = true }
        await sequencer.value
        let head = try await store.head()
        let things = try await store.things()
        for fold in folds {
            try await eventually { fold.value.end == head }
            #expect(fold.things == things)
            #expect(fold.value.failures == [])
        }
    }

    private static func write(
        _ random: inout Seeded, _ name: String, _ member: Member, _ store: any Store
    ) async throws {
        let thing = try store.model("thing")
        let keys = try await store.page(PageQuery(of: thing, limit: 5)).rows.map(\.key)
        guard random.below(3) > 0, !keys.isEmpty else {
            try await store.make(name, as: member)
            return
        }
        let key = keys[random.below(keys.count)]
        do {
            if random.below(3) == 0 {
                _ = try await store.remove(
                    thing, key: key, as: member.claim, if: .none, deadline: .standard, judging: { _, _ in })
            } else {
                try await store.rename(key, to: name, as: member)
            }
        } catch RowRefusal.noRow {
            // Another writer was first.
        }
    }

    @Test(
        "a follower is shown each entry once, and the same again where its body throws", arguments: StoreKind.allCases)
    func failing(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let seen = Shared([String]())
        let turns = Shared(0)
        struct Failure: Error {}
        let subscription = store.follow(
            from: try await store.head(), identities: try await store.identityCursor(), limit: 2
        ) { news, turn in
            let number = turns.change { turns in
                turns += 1
                return turns
            }
            if number == 1 { throw Failure() }
            seen.change { $0 += news.stretch.entries.compactMap { $0.after?.name } }
            turn.end()
        }
        for number in 0..<5 { try await store.make("\(number)", as: ada) }
        try await eventually { seen.value.count >= 5 }
        #expect(seen.value == ["0", "1", "2", "3", "4"])
        subscription.end()
        try await store.make("unseen", as: ada)
        #expect(seen.value.count == 5)
    }

    @Test("a follower across an era's change ends in the state of a reader from scratch", arguments: StoreKind.allCases)
    func eras(_ kind: StoreKind) async throws {
        let tested = try await kind.open()
        let store = tested.store
        let ada = try await store.member("ada")
        let start = try await store.head()
        let fold = try await Fold(store, from: start)
        let kept = try await store.make("kept", as: ada)
        let common = try await store.position(kept.position)
        try await tested.save()
        try await store.rename(kept.value.key, to: "lost", as: ada)
        let lost = try await store.position(store.make("lost", as: ada).position)
        try await eventually { fold.value.end.position == lost }
        try await tested.restore()
        try await store.make("after", as: ada)
        try await eventually { fold.value.entries.last?.after?.name == "after" }
        let scratch = try await Fold(store, from: start)
        let head = try await store.head()
        try await eventually { scratch.value.end == head && fold.value.end == head }
        #expect(head.era != start.era)
        #expect(fold.things == scratch.things)
        #expect(try await fold.things == store.things())
        #expect(fold.value.setBacks == 1)
        #expect(fold.value.failures == [])
        // What was common is known still; what was lost is not, though its number was given again.
        #expect(try await store.judge(common) == .known(LogCursor(era: head.era, sequence: common.sequence)))
        #expect(try await store.judge(lost) == .unknown)
        #expect(head.sequence <= lost.sequence)
    }

    @Test(
        "an era that begins where nothing was lost keeps every place, and gives none twice",
        arguments: StoreKind.allCases)
    func calmEra(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let before = try await store.position(store.make("a", as: ada).position)
        let fold = try await Fold(store, from: LogCursor(before))
        let begun = try await store.beginEra()
        #expect(begun.position != before)
        #expect(try await store.judge(before) == .known(begun))
        #expect(try await store.judge(Position(era: before.era, sequence: before.sequence + 1)) == .unknown)
        let after = try await store.position(store.make("b", as: ada).position)
        try await eventually { fold.value.end.position == after }
        #expect(fold.value.setBacks == 0)
        #expect(fold.value.entries.compactMap { $0.after?.name } == ["b"])
        #expect(try await store.judge(Position(era: before.era, sequence: after.sequence)) == .unknown)
    }

    @Test("what was pruned is said to be held no more, to readers and of positions", arguments: StoreKind.allCases)
    func retention(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let start = try await store.head()
        for number in 0..<10 { try await store.make("\(number)", as: ada) }
        let head = try await store.head()
        var pruned = 0
        while case let count = try await store.prune(
            PruneOrder(before: nil, keeping: 3, through: head, limit: 2)), count > 0
        {
            pruned += count
        }
        #expect(pruned > 6)
        let stretch = try await store.stretch(behind: start, limit: 100)
        #expect(stretch.interruption == .retention)
        #expect(stretch.entries.compactMap { $0.after?.name } == ["7", "8", "9"])
        #expect(try await store.span() == LogSpan(start: stretch.start, end: head))
        #expect(try await store.judge(start.position) == .retention(stretch.start))
        #expect(try await store.judge(stretch.start.position) == .known(stretch.start))
        #expect(try await store.prune(PruneOrder(before: nil, keeping: 0, through: start, limit: 100)) == 0)
    }

    @Test("a position of another log, and one past the head, is unknown", arguments: StoreKind.allCases)
    func foreign(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let head = try await store.head()
        #expect(try await store.judge(head.position) == .known(head))
        #expect(try await store.judge(Position(era: head.era, sequence: head.sequence + 1)) == .unknown)
        #expect(try await store.judge(Position(era: .random(), sequence: 0)) == .unknown)
        let folded = Position(era: head.era, sequence: head.sequence, folding: 1...head.sequence + 5)
        #expect(try await store.judge(folded) == .unknown)
    }

    @Test("a row's history is its own, with what was erased as a gap", arguments: StoreKind.allCases)
    func history(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let start = try await store.head()
        let thing = try store.model("thing")
        let (one, other) = (try await store.make("a", as: ada).value.key, try await store.make("x", as: ada).value.key)
        try await store.rename(one, to: "b", as: ada)
        try await store.rename(other, to: "y", as: ada)
        let history = try await store.history(of: thing, key: one, behind: start, limit: 10)
        #expect(history.entries.compactMap { $0.after?.name } == ["a", "b"])
        #expect(try await store.eraseEvents(of: thing, key: one, deadline: .standard).value == 2)
        let erased = try await store.history(of: thing, key: one, behind: start, limit: 10)
        #expect(erased.entries.map(\.change) == [.gap])
        #expect(try await store.eraseAuthor(ada.id, deadline: .standard).value == 2)
        #expect(try await store.stretch(behind: start, limit: 100).entries.allSatisfy { $0.author == nil })
    }
}
