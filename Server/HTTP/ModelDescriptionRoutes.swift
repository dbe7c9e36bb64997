import Hummingbird
import RolecallCore
import RolecallProtocol
import WireJSON

/// `/api/models`: the models and columns that the caller may see, and what the caller may do with them.
struct ModelDescriptionRoutes: Sendable {
    let models: ModelDescriptions
    let identity: RequestIdentity

    func add(to router: Router<RolecallRequestContext>) {
        router.get("api/models") { request, _ in
            let principal = try await identity.principal(of: request)
            return Response.json(.array(models.descriptions(for: principal).map(\.json)))
        }
    }
}
