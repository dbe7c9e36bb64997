import Foundation
import HTTPTypes
import Hummingbird
import ModelStore
import RolecallCore
import RolecallProtocol
import WireJSON

/// `/api/<models>` and `/api/<models>/:id`, for every model alike. Users are read here, too, and written by
/// ``UserRoutes``. Paths below `/api` that have routes of their own can be no model's: they stand in the configuration's
/// reserved paths (`FileReader.reservedPaths`).
struct ModelRoutes: Sendable {
    let rows: RowService
    let identity: RequestIdentity
    /// The largest body that is read, in bytes.
    let bodyLimit: Int

    func add(to router: Router<RolecallRequestContext>) {
        router.get("api/:models") { request, context in try await list(request, of: model(context)) }
        router.post("api/:models") { request, context in try await create(request, context) }
        router.get("api/:models/:id") { request, context in try await get(request, context, of: model(context)) }
        router.put("api/:models/:id") { request, context in try await update(request, context, replaces: true) }
        router.patch("api/:models/:id") { request, context in try await update(request, context, replaces: false) }
        router.delete("api/:models/:id") { request, context in try await remove(request, context) }
    }

    /// - Parameter find: the model, which is looked up once the caller is known.
    func list(_ request: Request, of find: @autoclosure () throws -> Model) async throws -> Response {
        let principal = try await identity.principal(of: request)
        let model = try find()
        var limit = RowService.defaultLimit
        var after: Value?
        var equals: [(column: Column, value: Value)] = []
        for (name, text) in request.uri.queryParameters {
            // Values come decoded, names as they stand in the query.
            let (name, text) = (name.removingPercentEncoding ?? String(name), String(text))
            switch name {
            case "limit":
                guard let number = Int(text), (1...RowService.maximumLimit).contains(number) else {
                    throw RequestFailure.invalidField(
                        name, "limit has to be a number from 1 to \(RowService.maximumLimit).")
                }
                limit = number
            case "after":
                after = try key(text, of: model, field: name)
            default:
                let column = try rows.column(name, of: model, for: principal)
                guard let value = RowService.value(text: text, for: column) else {
                    throw RequestFailure.invalidField(name, "\(name) can't be \"\(text.prefix(64))\".")
                }
                equals.append((column: column, value: value))
            }
        }
        let found = try await rows.list(model, limit: limit, after: after, equals: equals, as: principal)
        let headers = HTTPFields.position(found.position)
        // Up to some megabytes: more than a connection's thread should spend its time on.
        return await withTaskExecutorPreference(globalConcurrentExecutor) {
            .json(.array(found.rows.map(\.json)), headers: headers)
        }
    }

    /// - Parameter find: the model, which is looked up once the caller is known.
    func get(
        _ request: Request, _ context: RolecallRequestContext, of find: @autoclosure () throws -> Model
    ) async throws -> Response {
        let principal = try await identity.principal(of: request)
        let model = try find()
        let row = try await rows.get(model, key: try key(context, of: model), as: principal)
        return .json(row.value.json, headers: .row(row.position))
    }

    private func create(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.claimant(of: request)
        let (model, body) = try await asked(by: claimant) {
            (try self.model(context), try await request.json(limit: bodyLimit))
        }
        let row = try await rows.create(model.name, body, as: claimant)
        return .json(row.value.json, status: .created, headers: .row(row.position))
    }

    private func update(
        _ request: Request, _ context: RolecallRequestContext, replaces: Bool
    ) async throws -> Response {
        let claimant = try await identity.claimant(of: request)
        let (model, key, body) = try await asked(by: claimant) {
            let model = try self.model(context)
            return (model, try self.key(context, of: model), try await request.json(limit: bodyLimit))
        }
        let row = try await rows.update(
            model, key: key, body, replaces: replaces, unchangedSince: request.matchedPositions, as: claimant)
        return .json(row.value.json, headers: .row(row.position))
    }

    private func remove(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.claimant(of: request)
        let (model, key) = try await asked(by: claimant) {
            let model = try self.model(context)
            return (model, try self.key(context, of: model))
        }
        let position = try await rows.remove(
            model, key: key, unchangedSince: request.matchedPositions, as: claimant)
        return Response(status: .noContent, headers: HTTPFields.position(position))
    }

    /// What a write asks for. The records are judged where it is carried out; where what is asked for makes no sense,
    /// they are judged at once, since a caller whose token is void is told of that and of nothing else.
    private func asked<Asked>(by claimant: Claimant?, _ read: () async throws -> Asked) async throws -> Asked {
        do {
            return try await read()
        } catch {
            if let claimant { _ = try await identity.principal(of: claimant) }
            throw error
        }
    }

    private func model(_ context: RolecallRequestContext) throws -> Model {
        let path = try context.parameters.require("models")
        guard let model = rows.model(path: path) else {
            throw DomainError.notFound("There are no \(path.prefix(64)) here.")
        }
        return model
    }

    private func key(_ context: RolecallRequestContext, of model: Model) throws -> Value {
        // The router leaves the parts of a path as they are.
        let text = try context.parameters.require("id")
        guard let text = text.removingPercentEncoding, let key = RowKey.value(text: text, of: model) else {
            throw DomainError.notFound("There is no such \(model.name).")
        }
        return key
    }

    private func key(_ text: String, of model: Model, field: String) throws -> Value {
        guard let key = RowKey.value(text: text, of: model) else {
            throw RequestFailure.invalidField(field, "\(field) has to be the _id of a \(model.name).")
        }
        return key
    }

}

extension HTTPFields {
    /// Says where the log stood; nothing where that is not known.
    static func position(_ position: Position?) -> HTTPFields {
        guard let position, let name = HTTPField.Name("X-Rolecall-Position") else { return [:] }
        return [name: position.description]
    }

    /// Says where the log stood, and gives the row that was read there its entity tag: see ``Hummingbird/Request/matchedPositions``.
    static func row(_ position: Position?) -> HTTPFields {
        var fields = HTTPFields.position(position)
        if let position { fields[.eTag] = "\"\(position)\"" }
        return fields
    }
}

extension Request {
    /// `If-Match` on a row (RFC 9110, section 13.1.1): positions at which the client has read it; nil where nothing is
    /// asked for. A row's entity tag is the log's position at which it was read; that of an event of the row serves as
    /// well.
    var matchedPositions: [Position]? {
        let values = headers[values: .ifMatch]
        guard !values.isEmpty else { return nil }
        let tags = values.flatMap { $0.split(separator: ",") }.map { $0.filter { !$0.isWhitespace } }
        // Tags are compared strongly: a weak one, `W/"..."`, matches nothing.
        return tags.contains("*") ? nil : tags.compactMap { Position(Self.unquoted($0)) }
    }

    private static func unquoted(_ tag: String) -> String {
        tag.utf8.count > 1 && tag.hasPrefix("\"") && tag.hasSuffix("\"") ? String(tag.dropFirst().dropLast()) : tag
    }
}
