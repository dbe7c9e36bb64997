import ModelStore
import RolecallProtocol

/// A user as the log shows him.
struct UserImage {
    var summary: UserSummary
    var generation: Int64

    init?(_ row: Row) {
        guard case .integer(let id) = row["_id"], case .text(let email) = row["email"],
            case .text(let name) = row["name"], case .text(let role) = row["role"],
            case .integer(let generation) = row["generation"]
        else { return nil }
        summary = UserSummary(id: id, email: email, name: name, role: role)
        self.generation = generation
    }
}
