import ModelStore
import RolecallProtocol
import Testing

@testable import RolecallCore

@Suite("What is known of changed identities")
struct IdentityChangeRecordTests {
    private func principal(_ user: Int64, session: String? = nil, readAt: Int64) -> Principal {
        Principal(
            user: UserSummary(id: user, email: "", name: "", role: "user"), session: session, generation: 0,
            expiresAt: .now, readAt: IdentityCursor(era: Era(rawValue: 1), upTo: readAt))
    }

    @Test("who was read before the last change of his record or his session is not believed")
    func known() {
        var record = IdentityChangeRecord(from: 0)
        record.note(IdentityFeedEntry(mark: 5, subject: .user(1, nil), at: ""), of: 5)
        record.note(IdentityFeedEntry(mark: 7, subject: .sessionEnded("s"), at: ""), of: 7)
        #expect(record.hasNewerRecord(than: principal(1, readAt: 4)))
        #expect(!record.hasNewerRecord(than: principal(1, readAt: 5)))
        #expect(!record.hasNewerRecord(than: principal(2, readAt: 0)))
        #expect(record.hasNewerRecord(than: principal(2, session: "s", readAt: 6)))
        #expect(!record.hasNewerRecord(than: principal(2, session: "s", readAt: 7)))
    }

    @Test("however much changes, nobody who was read before a change is ever believed")
    func forgetful() {
        var record = IdentityChangeRecord(from: 0)
        for sequence in 1...20_000 as ClosedRange<Int64> {
            record.note(
                IdentityFeedEntry(
                    mark: IdentityMark(era: Era(rawValue: 1), number: sequence), subject: .sessionEnded("\(sequence)"),
                    at: ""), of: IdentityCursor(era: Era(rawValue: 1), upTo: sequence))
        }
        for sequence in stride(from: Int64(1), through: 20_000, by: 37) {
            #expect(record.hasNewerRecord(than: principal(1, session: "\(sequence)", readAt: sequence - 1)))
        }
        #expect(!record.hasNewerRecord(than: principal(1, session: "20000", readAt: 20_000)))
        #expect(!record.hasNewerRecord(than: principal(1, readAt: 19_990)))
    }

    @Test("a transaction that was running when the principal was read is newer, whatever its number")
    func overlapping() {
        var record = IdentityChangeRecord(from: 0)
        let (early, late) = (
            IdentityMark(era: Era(rawValue: 1), number: 5), IdentityMark(era: Era(rawValue: 1), number: 6)
        )
        record.note(IdentityFeedEntry(mark: early, subject: .user(1, nil), at: ""), of: 6)
        var reader = principal(1, readAt: 6)
        reader.readAt.except = [5]
        #expect(reader.readAt.covers(late))
        #expect(record.hasNewerRecord(than: reader))
        reader.readAt.except = []
        #expect(!record.hasNewerRecord(than: reader))
        reader.readAt.era = Era(rawValue: 2)
        #expect(record.hasNewerRecord(than: reader))
    }
}
