import ModelStore
import RolecallProtocol

/// The models that there are for a caller, so that no client has to know their names and columns.
///
/// For every caller: one who may see no model gets an empty list.
package struct ModelDescriptions: Sendable {
    let store: any RowStore
    let policy: Policy

    /// In the order in which the server has them.
    package func descriptions(for principal: Principal?) -> [ModelDescription] {
        let view = policy.view(of: principal)
        let visible = policy.visibleModels(to: view)
        return store.models.filter { visible.contains($0.name) }.map { model in
            model.name == ModelName.user
                ? accounts(model, for: principal?.user, view)
                : description(of: model, for: principal?.writer, view)
        }
    }

    private func description(of model: Model, for writer: Writer?, _ view: View) -> ModelDescription {
        let rules = policy.models[model.name]
        let writes = policy.mayCreate(model.name, as: writer) || policy.mayUpdate(model.name, as: writer)
        return ModelDescription(
            name: model.name, path: model.path, keyColumns: model.keyColumns,
            fields: fields(of: model, view) { column in
                guard let writer, writes, !column.isGenerated, column.name != model.key.name || column.isRequired else {
                    return false
                }
                return policy.mayWrite(column: column.name, of: model.name, as: writer)
            } isRequired: { column in
                column.isRequired && rules?.stamps[column.name] == nil
            },
            mayCreate: policy.mayCreate(model.name, as: writer), mayUpdate: policy.mayUpdate(model.name, as: writer),
            mayRemove: policy.mayRemove(model.name, as: writer))
    }

    /// Accounts have calls of their own, and not the rules of rows: see ``AccountService``.
    private func accounts(_ model: Model, for user: UserSummary?, _ view: View) -> ModelDescription {
        let isAdministrator = policy.isAdministrator(user?.role)
        return ModelDescription(
            name: model.name, path: model.path, keyColumns: model.keyColumns,
            fields: fields(of: model, view) { column in
                switch column.name {
                case "name", "email": user != nil
                case "role": isAdministrator
                default: false
                }
            } isRequired: { column in
                column.name == "email"
            },
            mayCreate: isAdministrator, mayUpdate: user != nil, mayRemove: isAdministrator)
    }

    private func fields(
        of model: Model, _ view: View, isWritable: (Column) -> Bool, isRequired: (Column) -> Bool
    ) -> [ModelDescription.Field] {
        model.columns.filter { policy.mayRead(column: $0.name, of: model.name, view: view) }.map { column in
            ModelDescription.Field(
                name: column.name, kind: ModelDescription.Kind(rawValue: column.kind.rawValue),
                isRequired: isRequired(column), isNullable: column.isNullable, isWritable: isWritable(column))
        }
    }
}
