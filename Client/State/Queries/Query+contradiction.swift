import RolecallProtocol

extension Query {
    /// Why nothing can ever answer to it; a clause. Nil where something may.
    var contradiction: String? {
        let wanted = terms.filter { !$0.isNegated }.map(\.condition)
        if terms.contains(where: { $0.isNegated && wanted.contains($0.condition) }) {
            return "one of its terms excludes another"
        }
        var models: Set<String> = []
        var roles: Set<String> = []
        var operations = Set<ModelOperation>([.created, .updated, .removed, .hidden])
        for condition in wanted {
            switch condition {
            case .model(let model): models.insert(model)
            case .role(let role): roles.insert(role)
            case .operations(let some): operations.formIntersection(some)
            default: break
            }
        }
        if models.count > 1 { return "an event is of one model" }
        if roles.count > 1 { return "somebody has one role" }
        if operations.isEmpty { return "an event is of one operation" }
        if let model = models.first, !roles.isEmpty, model != "user" {
            return "role: is about people and rows of the model user, not of \(model)"
        }
        let isNobody = wanted.contains(.noActor)
        let isSomebody = wanted.contains { if case .actor = $0 { true } else { false } }
        return isNobody && isSomebody ? "a change by nobody is by none of that name" : nil
    }
}
