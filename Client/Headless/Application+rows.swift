import NIOHTTP1
import RolecallProtocol
import WireJSON

/// Reading and writing rows by HTTP.
extension Application {
    func create(_ model: String, _ fields: [FieldAssignment]) async throws {
        let model = try await self.model(model)
        let answer = try await accepted(rest().send(.POST, path(model), body: object(fields, model)))
        try await show(answer.json, of: model, answer)
    }

    func update(_ model: String, _ key: String, _ fields: [FieldAssignment]) async throws {
        let model = try await self.model(model)
        let answer = try await accepted(rest().send(.PATCH, path(model, key), body: object(fields, model)))
        try await show(answer.json, of: model, answer)
    }

    func remove(_ model: String, _ key: String) async throws {
        let model = try await self.model(model)
        _ = try await accepted(rest().send(.DELETE, path(model, key)))
        try await console.print(.removed(model: model.name, key: model.key(key)))
    }

    func list(_ model: String, limit: Int?, after: String?, _ fields: [FieldAssignment]) async throws {
        let model = try await self.model(model)
        var query = fields.map { ($0.field, $0.queryText(in: model)) }
        if let limit { query.append(("limit", String(limit))) }
        if let after { query.append(("after", after)) }
        let answer = try await accepted(rest().send(.GET, path(model), query: query))
        guard let rows = answer.json.arrayValue else {
            throw RESTClient.InvalidAnswer(description: "The server's answer is no list of rows.")
        }
        for row in rows { try await show(row, of: model, answer) }
    }

    func get(_ model: String, _ key: String) async throws {
        let model = try await self.model(model)
        let answer = try await accepted(rest().send(.GET, path(model, key)))
        try await show(answer.json, of: model, answer)
    }

    // MARK: Parts

    /// What the server says of a model: its path, and what its fields take.
    private func model(_ name: String) async throws -> ModelDescription {
        try await ModelClient(rest: rest()).models().model(named: name)
    }

    /// - Parameter token: nil for the token in use.
    func rest() throws -> RESTClient {
        rest(token: try credential())
    }

    /// - Parameter origin: nil for the configured server.
    func rest(token: Token?, at origin: ServerOrigin? = nil) -> RESTClient {
        RESTClient(
            origin: origin ?? configuration.server, certificateFile: configuration.certificateFile, token: token,
            logger: logger)
    }

    /// What the server offers to the user of a token about logins, sessions and sockets.
    ///
    /// - Parameter origin: nil for the configured server.
    func account(token: Token?, at origin: ServerOrigin? = nil) -> AccountClient {
        AccountClient(rest: rest(token: token, at: origin))
    }

    /// What an answer of an error's status says.
    func failure(of answer: RESTClient.Answer) -> Failure {
        Failure(answer)
    }

    private func accepted(_ answer: RESTClient.Answer) throws -> RESTClient.Answer {
        guard (200..<300).contains(answer.status) else { throw failure(of: answer) }
        return answer
    }

    private func show(_ row: JSON, of model: ModelDescription, _ answer: RESTClient.Answer) async throws {
        try await console.print(.row(model: model.name, row, position: answer.position))
    }

    private func path(_ model: ModelDescription, _ key: String? = nil) -> [String] {
        ["api", model.path] + (key.map { [$0] } ?? [])
    }

    /// Of a field that is named twice the last value stands.
    private func object(_ fields: [FieldAssignment], _ model: ModelDescription) -> JSON {
        .object(JSONObject(fields.map { ($0.field, $0.value(in: model)) }))
    }
}
