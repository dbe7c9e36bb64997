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
        var record = IdentityChangeRecord(era: Era(rawValue: 1))
        record.note(IdentityFeedEntry(mark: 5, subject: .user(1, nil), at: ""))
        record.note(IdentityFeedEntry(mark: 7, subject: .sessionEnded("s"), at: ""))
        #expect(record.hasNewerRecord(than: principal(1, readAt: 4)))
        #expect(!record.hasNewerRecord(than: principal(1, readAt: 5)))
        #expect(!record.hasNewerRecord(than: principal(2, readAt: 0)))
        #expect(record.hasNewerRecord(than: principal(2, session: "s", readAt: 6)))
        #expect(!record.hasNewerRecord(than: principal(2, session: "s", readAt: 7)))
    }

    @Test("however much changes, nobody who was read before a change is ever believed")
    func forgetful() {
        var record = IdentityChangeRecord(era: Era(rawValue: 1))
        for sequence in 1...20_000 as ClosedRange<Int64> {
            record.note(IdentityFeedEntry(
                    mark: IdentityMark(era: Era(rawValue: 1), number: sequence), subject: .sessionEnded("\(sequence)"),
                    at: ""))
        }
        for sequence in stride(from: Int64(1), through: 20_000, by: 37) {
            #expect(record.hasNewerRecord(than: principal(1, session: "\(sequence)", readAt: sequence - 1)))
        }
        #expect(!record.hasNewerRecord(than: principal(1, session: "20000", readAt: 20_000)))
        #expect(!record.hasNewerRecord(than: principal(1, readAt: 19_990)))
    }
}
