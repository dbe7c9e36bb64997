import NIOHTTP1
import RolecallProtocol
import WireJSON

/// What a server's HTTP interface offers about its models and their events, to the user of a token.
///
/// Everything throws ``Failure`` for a refusal, and what ``RESTClient/send(_:_:query:body:)`` throws.
struct ModelClient: Sendable {
    let rest: RESTClient

    /// The models of which the user may see something.
    func models() async throws -> ModelCatalogue {
        let answer = try await accepted(rest.send(.GET, ["api", "models"]))
        guard let array = answer.json.arrayValue else {
            throw RESTClient.InvalidAnswer(description: "The server's answer is no list of models.")
        }
        return ModelCatalogue(models: array.compactMap(ModelDescription.init), isSignedIn: rest.token != nil)
    }

    /// Why somebody is told of an event what he is told; for admins.
    ///
    /// - Parameter user: his `_id`, his e-mail address, or `guest` for nobody.
    func explanation(of position: Position, for user: String) async throws -> EventExplanation {
        let path = ["api", "events", position.description, "explain"]
        let answer = try await accepted(rest.send(.GET, path, query: [("user", user)]))
        guard let explanation = EventExplanation(json: answer.json) else {
            throw RESTClient.InvalidAnswer(description: "The server's answer is no explanation.")
        }
        return explanation
    }

    private func accepted(_ answer: RESTClient.Answer) throws -> RESTClient.Answer {
        guard (200..<300).contains(answer.status) else { throw Failure(answer) }
        return answer
    }
}

/// The models that a server has for a user.
struct ModelCatalogue: Sendable {
    /// The most names that a sentence lists.
    private static let longestList = 20

    let models: [ModelDescription]
    let isSignedIn: Bool

    /// - Throws: ``Failure`` that names the models there are.
    func model(named name: String) throws(Failure) -> ModelDescription {
        if let model = models.first(where: { $0.name == name }) { return model }
        guard !models.isEmpty else {
            guard isSignedIn else {
                throw Failure(
                    .loginFailed, ErrorCode.unauthenticated.rawValue,
                    "There are no models for those who are not logged in: rolecall login --email E-MAIL.")
            }
            throw Failure(.denied, ErrorCode.forbidden.rawValue, "There are no models that this user may see.")
        }
        let names = models.map(\.name)
        let guess = nearest(to: name, among: names).map { " Is \($0) meant?" } ?? ""
        let more = names.count > Self.longestList ? " and \(names.count - Self.longestList) more" : ""
        throw Failure(
            .failed, "unknown_model",
            "There is no model \(name.prefix(64)) for this user.\(guess) There are "
                + "\(names.prefix(Self.longestList).joined(separator: ", "))\(more).")
    }
}

extension ModelDescription {
    /// A key as it is typed, in the form in which rows have it: of several columns, `7,shirt` is `[7,"shirt"]`.
    func key(_ text: String) -> JSON {
        guard keyColumns.count > 1 else { return FieldAssignment.value(text, for: field("_id")) }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard !text.hasPrefix("["), parts.count == keyColumns.count else { return .string(text) }
        let values = zip(parts, keyColumns).map { FieldAssignment.value($0, for: field($1)) }
        return .string(JSON.array(values).description)
    }
}
