/// An HTTP/1.1 client on one TCP connection: requests may be sent before the answers to others are read.
final class HTTPPeer {
    struct Answer: CustomStringConvertible {
        var status: Int
        /// Names in lower case.
        var headers: [(name: String, value: String)]
        var body: String

        func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

        var description: String { "\(status) \(body)" }
    }

    let wire: Wire

    init(port: Int) throws {
        wire = try Wire(port: port)
    }

    init(wire: Wire) {
        self.wire = wire
    }

    /// - Parameter body: nil for a request without one.
    func send(
        _ method: String, _ target: String, headers: [(String, String)] = [],
        body: (some Collection<UInt8>)? = [UInt8]?.none
    ) throws {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if let body { head += "Content-Length: \(body.count)\r\n" }
        var bytes = Array((head + "\r\n").utf8)
        if let body { bytes += body }
        try wire.write(bytes)
    }

    /// Reads the next answer.
    func answer() throws -> Answer {
        let lines = try wire.take(upTo: "\r\n\r\n", "answer").split(separator: "\r\n", omittingEmptySubsequences: false)
        let words = lines[0].split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
            throw WireFailure("this is no answer: \(lines[0])")
        }
        let headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            let value = parts.count == 2 ? parts[1].drop { $0 == " " } : ""
            return (name: (parts.first ?? "").lowercased(), value: String(value))
        }
        var answer = Answer(status: status, headers: headers, body: "")
        if status == 101 { return answer }
        guard let length = answer.header("content-length").flatMap({ Int($0) }) else {
            throw WireFailure("the answer \(status) does not tell its length: \(headers)")
        }
        answer.body = String(decoding: try wire.take(length, "body of \(length) bytes"), as: UTF8.self)
        return answer
    }

    /// A request, and its answer.
    func ask(
        _ method: String, _ target: String, headers: [(String, String)] = [], body: String? = nil
    ) throws -> Answer {
        try send(method, target, headers: headers, body: body.map { Array($0.utf8) })
        return try answer()
    }
}
