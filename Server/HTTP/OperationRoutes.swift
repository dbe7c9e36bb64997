import HTTPTypes
import Hummingbird
import ModelStore
import NIOCore
import RolecallCore
import RolecallProtocol
import SocketIOServer
import WireJSON

/// Liveness, readiness and metrics, for operators.
struct OperationRoutes: Sendable {
    let domain: Domain
    let metrics: MetricsPage
    let identity: RequestIdentity
    /// Whether the server is on its way out.
    let isDraining: @Sendable () -> Bool

    func add(to router: Router<RolecallRequestContext>) {
        router.get("healthz") { _, _ in Response.json(["status": "ok"]) }
        router.get("readyz") { _, _ in await readiness() }
        router.get("metrics") { request, context in try await showMetrics(request, context) }
    }

    /// Ready is a server that can read the records: without them no token can be judged.
    private func readiness() async -> Response {
        guard !isDraining() else {
            return .json(
                ["status": "not_ready", "reason": "The server is stopping."], status: .serviceUnavailable,
                headers: [.retryAfter: "1"])
        }
        do throws(DomainError) {
            try await domain.probe()
            return .json(["status": "ready"])
        } catch {
            return .json(
                ["status": "not_ready", "reason": "The database can't be read at the moment."],
                status: .serviceUnavailable, headers: [.retryAfter: "1"])
        }
    }

    /// For this machine, and for admins from anywhere.
    private func showMetrics(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        if !Self.isLocal(request, context) {
            guard let principal = try await identity.principal(of: request) else { throw DomainError.unauthenticated }
            guard domain.policy.isAdministrator(principal.user.role) else {
                throw DomainError.forbidden("Only admins see the metrics from another machine.")
            }
        }
        return Response(
            status: .ok, headers: [.contentType: PrometheusText.contentType, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: await metrics.text())))
    }

    /// Whether the request is this machine's own. What a proxy on this machine passes on is a client's.
    private static func isLocal(_ request: Request, _ context: RolecallRequestContext) -> Bool {
        let isPassedOn = request.headers.contains { field in
            let name = field.name.canonicalName
            return name == "forwarded" || name == "via" || name == "x-real-ip" || name.hasPrefix("x-forwarded-")
        }
        return !isPassedOn && (context.remoteAddress?.isLoopback ?? false)
    }
}
