import NIOCore
import NIOHTTP1

/// An HTTP application that answers when it is told to, and keeps what it saw.
final class FakeHTTPApplication: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// Requests are answered at once, each with its own target as the body.
    var answersAtOnce = true
    private(set) var seen: [String] = []
    private(set) var context: ChannelHandlerContext?

    func install(on channel: any Channel) throws {
        try channel.pipeline.syncOperations.addHandler(self)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        seen.append("installed")
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head): seen.append("\(head.method) \(head.uri)")
        case .body(let bytes): seen.append("body \(String(buffer: bytes))")
        case .end:
            seen.append("end")
            if answersAtOnce { answer("ok") }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        seen.append("inactive")
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        seen.append(event is ChannelShouldQuiesceEvent ? "quiesce" : "event \(event)")
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        seen.append("error \(error)")
    }

    func answer(_ body: String) {
        guard let context else { return }
        let head = HTTPResponseHead(
            version: .http1_1, status: .ok, headers: ["Content-Length": String(body.utf8.count)])
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(Self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }
}

/// ``FakeHTTPApplication``'s answer.
func ordinaryAnswer(_ body: String = "ok", closes: Bool = false) -> String {
    request("HTTP/1.1 200 OK", "Content-Length: \(body.utf8.count)" + (closes ? "\r\nConnection: close" : "")) + body
}
