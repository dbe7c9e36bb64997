import Testing

/// The requests of one client that polls, each on a connection of its own.
final class Poller {
    let desk: Desk
    let sid: String
    /// Kept: an embedded channel that goes takes all timers of its loop along.
    private var lines: [Line] = []

    init(_ desk: Desk, extra: String...) throws {
        self.desk = desk
        let line = try desk.line()
        try line.receive(
            ([("GET /socket.io/?EIO=4&transport=polling HTTP/1.1")] + extra).joined(separator: "\r\n") + "\r\n\r\n")
        let answer = try Answer(try line.sentText())
        try #require(answer.status == "200 OK")
        sid = try SocketIOServerTests.sid(in: answer.body)
        lines = [line]
    }

    var target: String { "/socket.io/?EIO=4&transport=polling&sid=\(sid)" }

    private func line() throws -> Line {
        lines.append(try desk.line())
        return lines[lines.count - 1]
    }

    func poll(_ extra: String...) throws -> Line {
        let line = try line()
        try line.receive((["GET \(target) HTTP/1.1"] + extra).joined(separator: "\r\n") + "\r\n\r\n")
        return line
    }

    func post(_ body: String) throws -> Line {
        let line = try line()
        try line.receive(
            "POST \(target) HTTP/1.1\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body)
        return line
    }

    /// Enters the main namespace.
    func connect() throws {
        try #require(try Answer(post("40").sentText()).body == "ok")
        try #require(try Answer(poll().sentText()).body.hasPrefix(#"40{"sid":""#))
    }

    func webSocket() throws -> Line {
        let line = try line()
        try line.receive(webSocketRequest(target: "/socket.io/?EIO=4&transport=websocket&sid=\(sid)"))
        return line
    }
}

struct Answer {
    let head: String
    let body: String

    init(_ text: String) throws {
        let end = try #require(text.range(of: "\r\n\r\n"), "no answer yet: \(text)")
        head = String(text[..<end.lowerBound])
        body = String(text[end.upperBound...])
    }

    var status: String { String(head.split(separator: "\r\n")[0].dropFirst("HTTP/1.1 ".count)) }
}

extension String {
    fileprivate func range(of text: String) -> Range<String.Index>? { firstRange(of: text) }
}
