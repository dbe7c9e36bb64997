import NIOCore
import NIOHTTP1
import Testing

@testable import SocketIOServer

@Suite("The gate on real sockets, with an asynchronous application behind it")
struct LiveGateTests {
    typealias HTTPChannel = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    enum Style: Sendable, CaseIterable {
        /// The application's loop ends with its input, and closes what it was given.
        case plain
        /// It closes its output at the end of its input, and waits for the connection to go.
        case waiting
        /// As the first, but it answers before it has read the request.
        case early
    }

    /// Serves ordinary requests: each is answered with `ok`, and its parts are read at leisure.
    private struct Service: Sendable {
        let style: Style
        let installed = Shared(0)
        let ended = Shared(0)

        init(_ style: Style) {
            self.style = style
        }

        func settled() async throws {
            try await eventually("\(ended.value) of \(installed.value) have ended") { ended.value == installed.value }
        }

        @Sendable
        func install(on channel: any Channel) throws {
            let configuration = HTTPChannel.Configuration(isOutboundHalfClosureEnabled: style == .waiting)
            let http = try HTTPChannel(wrappingChannelSynchronously: channel, configuration: configuration)
            installed.change { $0 += 1 }
            Task {
                try? await http.executeThenClose { inbound, outbound in try await serve(inbound, outbound, http.channel)
                }
                ended.change { $0 += 1 }
            }
        }

        private func serve(
            _ inbound: NIOAsyncChannelInboundStream<HTTPServerRequestPart>,
            _ outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>, _ channel: any Channel
        ) async throws {
            for try await part in inbound {
                switch part {
                case .head where style == .early: break
                case .end where style != .early: break
                default:
                    try? await Task.sleep(for: .microseconds(200))
                    continue
                }
                let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Content-Length": "2"])
                try await outbound.write(.head(head))
                try await outbound.write(.body(.byteBuffer(ByteBuffer(string: "ok"))))
                try await outbound.write(.end(nil))
            }
            guard style == .waiting else { return }
            outbound.finish()
            try await channel.closeFuture.get()
        }
    }

    private static let ordinary = (request("GET /a HTTP/1.1", "Host: example.org"), ordinaryAnswer())

    @Test("ordinary requests are served as if there were no gate", arguments: Style.allCases)
    func ordinaryRequests(_ style: Style) async throws {
        let service = Service(style)
        try await LiveServer.with(install: service.install, settled: service.settled) { live in
            let client = try await LiveClient.connect(
                to: live.address, after: [Self.ordinary, Self.ordinary, Self.ordinary])
            client.drop()
            try await live.waitUntilEmpty()
            try await service.settled()
        }
    }

    /// Enters the main namespace and asks many times, with more than one read's worth at once.
    private func talk(_ client: LiveClient) async throws {
        client.send("40")
        try await client.wait(for: 1)
        _ = client.take()
        for round in 0..<20 {
            let text = String(repeating: "x", count: 5_000)
            client.send(#"42\#(round)["a","\#(text)"]"#)
            try await client.wait(for: 1)
            #expect(client.takeFirst() == #"43\#(round)["\#(text)"]"#)
        }
    }

    @Test(
        "a kept-alive connection that became a WebSocket works, stays, and takes its application along at its end",
        arguments: Style.allCases)
    func keptAliveUpgrade(_ style: Style) async throws {
        let service = Service(style)
        try await LiveServer.with(install: service.install, settled: service.settled) { live in
            let clients = try await (0..<3).asyncMap { _ in
                try await LiveClient.connect(to: live.address, after: [Self.ordinary])
            }
            for client in clients { try await talk(client) }
            #expect(service.installed.value == 3)
            #expect(service.ended.value == 0)
            #expect(try await live.connectionCount() == 3)
            clients[0].close()
            clients[1].reset()
            clients[2].endOutput()
            try await live.waitUntilEmpty()
            try await service.settled()
        }
    }

    @Test(
        "a connection goes on reading although its application held reading back before the upgrade",
        arguments: Style.allCases)
    func upgradeBehindBackPressure(_ style: Style) async throws {
        let service = Service(style)
        let body = (0..<60).map { _ in "4\r\nbody\r\n" }.joined() + "0\r\n\r\n"
        let upload = request("POST /a HTTP/1.1", "Host: example.org", "Transfer-Encoding: chunked") + body
        try await LiveServer.with(install: service.install, settled: service.settled) { live in
            let client = try await LiveClient.connect(to: live.address, pipelined: (upload, ordinaryAnswer()))
            try await talk(client)
            client.close()
            try await live.waitUntilEmpty()
        }
    }

    @Test("reading stops and goes on for a WebSocket with an application behind it, too", arguments: Style.allCases)
    func backPressureBehindAnUpgrade(_ style: Style) async throws {
        let latch = Latch()
        let handled = Shared(0)
        let application = Application(onEvent: { event, _ in
            await latch.wait()
            handled.change { $0 += 1 }
            return []
        })
        let service = Service(style)
        try await LiveServer.with(
            application, configure: { $0.maximumPendingEvents = 4 }, install: service.install, settled: service.settled
        ) { live in
            let client = try await LiveClient.connect(to: live.address, after: [Self.ordinary])
            client.send("40")
            try await client.wait(for: 1)
            _ = client.take()
            // Far more than fits into one read.
            let text = String(repeating: "x", count: 10_000)
            client.send((0..<100).map { #"42\#($0)["a","\#(text)"]"# })
            try await eventually("the handler is under way") { latch.waitingCount == 1 }
            latch.open()
            try await client.wait(for: 100)
            #expect(client.take() == (0..<100).map { "43\($0)[]" })
            #expect(handled.value == 100)
            client.close()
            try await live.waitUntilEmpty()
        }
    }

    @Test(
        "the event loops can be shut down although an upgraded connection has an application behind it",
        arguments: Style.allCases)
    func shutdown(_ style: Style) async throws {
        let service = Service(style)
        // What stops the server closes each channel as a whole.
        try await LiveServer.with(install: service.install, settled: service.settled) { live in
            let client = try await LiveClient.connect(to: live.address, after: [Self.ordinary])
            client.send("40")
            try await client.wait(for: 1)
        }
        #expect(service.installed.value == 1)
        #expect(service.ended.value == 1)
    }
}
