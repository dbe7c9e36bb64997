import CoreMetrics
import Foundation
import ModelStore
import NIOCore
import RolecallProtocol
import Synchronization
import TestSupport
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

private final class PageCounts: Sendable {
    struct Counts {
        var begun = 0
        var atOnce = 0
        var mostAtOnce = 0
        var asked = 0
    }

    let all = Mutex(Counts())
}

@Suite("Metrics")
struct MetricsTests {
    @Test("the text has help and type once, labels and help escaped, buckets that add up")
    func text() {
        let registry = MetricRegistry(help: ["a_total": "one \\ two\nthree"])
        registry.counter("a_total", [(name: "why", value: "a \"b\"\\\n")]).increment(by: 2)
        registry.counter("a_total", [(name: "why", value: "c")]).increment(by: -1)
        registry.gauge("b-c").set(1.5)
        registry.reading("d") { .nan }
        let histogram = registry.histogram("e_seconds", [(name: "x", value: "y")])
        for value in [0.0001, 0.001, 0.02, 11, .infinity] { histogram.record(value) }
        let text = PrometheusText.text(of: registry)
        #expect(
            text.hasPrefix(
                """
                # HELP a_total one \\\\ two\\nthree
                # TYPE a_total counter
                a_total{why="a \\"b\\"\\\\\\n"} 2
                a_total{why="c"} 0
                # TYPE b_c gauge
                b_c 1.5
                # TYPE d gauge
                d NaN
                # TYPE e_seconds histogram
                e_seconds_bucket{x="y",le="0.001"} 2
                e_seconds_bucket{x="y",le="0.0025"} 2
                """))
        #expect(text.contains("e_seconds_bucket{x=\"y\",le=\"0.025\"} 3\n"))
        #expect(text.contains("e_seconds_bucket{x=\"y\",le=\"10\"} 3\n"))
        #expect(text.hasSuffix("le=\"+Inf\"} 4\ne_seconds_sum{x=\"y\"} 11.0211\ne_seconds_count{x=\"y\"} 4\n"))
    }

    @Test("one name and its labels are one instrument, whoever asks for it, and a name has one kind")
    func instruments() {
        let registry = MetricRegistry()
        let counters = (0..<2).map { _ in Counter(label: "n", dimensions: [("a", "b")], factory: registry) }
        for counter in counters { counter.increment() }
        #expect(registry.counter("n", [(name: "a", value: "b")]).value == 2)
        registry.gauge("n").set(5.5)
        #expect(!PrometheusText.text(of: registry).contains("5.5"))
        CoreMetrics.Timer(label: "t", factory: registry).recordNanoseconds(2_000_000)
        #expect(PrometheusText.text(of: registry).contains("t_bucket{le=\"0.0025\"} 1\n"))
    }

    @Test("counted on many threads at once, nothing is lost")
    func concurrent() async {
        let registry = MetricRegistry()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        registry.counter("c").increment()
                        registry.histogram("h").record(1.0)
                        registry.gauge("g").increment(by: 1)
                    }
                }
            }
        }
        let text = PrometheusText.text(of: registry)
        #expect(text.contains("c 8000\n") && text.contains("h_count 8000\n") && text.contains("g 8000\n"))
    }

    @Test("one text is made at a time, and those who ask meanwhile share the next")
    func page() async throws {
        let counts = PageCounts()
        let mayEnd = DispatchSemaphore(value: 0)
        let page = MetricsPage {
            let number = counts.all.withLock { counts in
                counts.begun += 1
                counts.atOnce += 1
                counts.mostAtOnce = max(counts.mostAtOnce, counts.atOnce)
                return counts.begun
            }
            mayEnd.wait()
            counts.all.withLock { $0.atOnce -= 1 }
            return "\(number)"
        }
        async let first = page.text()
        _ = try await eventually { counts.all.withLock(\.begun) == 1 ? true : nil }
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    counts.all.withLock { $0.asked += 1 }
                    return await page.text()
                }
            }
            _ = try await eventually { counts.all.withLock(\.asked) == 50 ? true : nil }
            for _ in 0...50 { mayEnd.signal() }
            // Who came while the first was made is not given that one.
            for try await text in group { #expect(try #require(Int(text)) > 1) }
        }
        #expect(await first == "1")
        #expect(counts.all.withLock(\.mostAtOnce) == 1)
        // One for all, but for those that had not got as far as to wait.
        #expect(counts.all.withLock(\.begun) < 25)
    }

    @Test("what is read for /metrics is read on no event loop")
    func awayFromEventLoops() async throws {
        try await LiveServer.run { server in
            let readings = Mutex<[Bool]>([])
            let loops = server.node.loops.map(\.eventLoop)
            server.metrics.reading("probe") {
                readings.withLock { $0.append(loops.contains(where: \.inEventLoop)) }
                return 1
            }
            let answer = try await server.request("GET", "/metrics")
            #expect(answer.body.contains("probe 1\n"))
            #expect(readings.withLock(\.self) == [false])
        }
    }

    @Test("the system's count of open descriptors is that of the directory's entries")
    func descriptors() async throws {
        let before = try #require(ProcessReadings.listedDescriptors)
        let opened = (0..<200).map { _ in dup(0) }
        defer { for descriptor in opened where descriptor >= 0 { close(descriptor) } }
        let open = opened.count { $0 >= 0 }
        #expect(open == 200)
        // Others open and close theirs meanwhile.
        let (listed, counted) = try await eventually {
            let counted = ProcessReadings.countedDescriptors
            let listed = ProcessReadings.listedDescriptors
            return ProcessReadings.countedDescriptors == counted ? (listed, counted) : nil
        }
        if let counted { #expect(listed == counted) }
        #expect(try #require(listed) >= 200 && before > 0)
        #expect(ProcessReadings.openDescriptors >= 200)
    }

    @Test("/metrics tells this machine and admins how the server does, and nobody else; /readyz says ready")
    func routes() async throws {
        try await LiveServer.run { server in
            let socket = try await server.connect(
                auth: ["token": .string(try await server.token(for: "test@example.com"))])
            _ = try await socket.identity(.auth)
            _ = try await server.connect().identity(.anonymous)
            let user = try await server.user("test@example.com")
            let written = try await server.store.transaction { try $0.setRole("admin", ofUser: user.id) }
            _ = try await socket.identity(.roleChanged)
            _ = try await server.signIn("test@example.com", "wrong")
            try await server.addThing("x")
            try await socket.thing("x")

            let local = try await eventually {
                let answer = try await server.request("GET", "/metrics")
                return answer.body.contains("rolecall_identity_delay_seconds_count 1\n") ? answer : nil
            }
            #expect(local.status == 200)
            #expect(local.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            for line in [
                "rolecall_sockets 2", "rolecall_sockets_associated 1", "rolecall_logins_total{result=\"invalid\"} 1",
                "rolecall_identity_changes_total{reason=\"role_changed\"} 1", "socketio_sockets_connected_total 2",
                "# TYPE rolecall_delivery_delay_seconds histogram",
            ] { #expect(local.body.contains(line + "\n"), "\(line)") }
            #expect(!local.body.contains("rolecall_log_position 0\n"))
            #expect(!local.body.contains("NaN"))
            #expect(try written.place.sequence > 0)

            let proxied = ("X-Forwarded-For", "192.0.2.1")
            #expect(try await server.request("GET", "/metrics", headers: [proxied]).status == 401)
            let admin = ("Authorization", "Bearer \(try await server.token(for: "admin@example.com"))")
            #expect(try await server.request("GET", "/metrics", headers: [proxied, admin]).status == 200)
            try await server.store.transaction { try $0.setRole("user", ofUser: user.id) }
            let other = ("Authorization", "Bearer \(try await server.token(for: "test@example.com"))")
            #expect(try await server.request("GET", "/metrics", headers: [proxied, other]).status == 403)

            #expect(try await server.request("GET", "/readyz").json == ["status": "ready"])
            #expect(try await server.request("GET", "/healthz").json == ["status": "ok"])
        }
    }
}
