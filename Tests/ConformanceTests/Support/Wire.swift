import Glibc

/// A TCP connection to a server, byte by byte, with nothing in it of the code under test.
///
/// Every call waits for what it is there for, and throws where that does not come in time.
final class Wire {
    /// Generous: the machine may be slow and busy.
    static let patience = Duration.seconds(60)

    private let descriptor: Int32
    private var isClosed = false
    /// What came and was not taken yet.
    private(set) var received: [UInt8] = []
    /// Whether the server has ended its side, or broken the connection off.
    private(set) var hasEnded = false

    /// - Parameters:
    ///   - receiveBuffer: the size of the kernel's buffer for what the server sends, in bytes; nil leaves it as it is.
    init(port: Int, receiveBuffer: Int? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw WireFailure("no socket: \(Self.reason)") }
        if let receiveBuffer { set(SOL_SOCKET, SO_RCVBUF, Int32(receiveBuffer)) }
        set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            let reason = Self.reason
            Glibc.close(descriptor)
            isClosed = true
            throw WireFailure("no connection to port \(port): \(reason)")
        }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    deinit { close() }

    private static var reason: String { String(cString: strerror(errno)) }

    private func set(_ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    // MARK: Writing

    func write(_ text: String) throws { try write(Array(text.utf8)) }

    func write(_ bytes: some Collection<UInt8>) throws {
        var rest = Array(bytes)[...]
        let deadline = ContinuousClock.now + Self.patience
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                guard Self.wait(for: [self], Int16(POLLOUT), until: deadline) else {
                    throw WireFailure(
                        "the server took \(bytes.count - rest.count) of \(bytes.count) bytes, and no more")
                }
            } else if errno != EINTR {
                throw WireFailure("can't write: \(Self.reason)")
            }
        }
    }

    // MARK: Reading

    /// Waits until there is more to take, or the end.
    func receive(within time: Duration = patience, _ what: @autoclosure () -> String) throws {
        guard !hasEnded else { throw WireFailure("the connection ended before \(what())", received) }
        guard try Self.waitForAny(of: [self], within: time) else {
            throw WireFailure("there was no \(what()) within \(time)", received)
        }
    }

    /// Takes so many bytes.
    func take(_ count: Int, _ what: @autoclosure () -> String) throws -> [UInt8] {
        while received.count < count { try receive(what()) }
        defer { received.removeFirst(count) }
        return Array(received.prefix(count))
    }

    /// Takes what stands before a mark, and the mark.
    func take(upTo mark: String, _ what: @autoclosure () -> String) throws -> String {
        let mark = Array(mark.utf8)
        var searched = 0
        while true {
            let place = (searched..<max(searched, received.count - mark.count + 1)).first {
                received[$0..<$0 + mark.count].elementsEqual(mark)
            }
            if let place {
                return String(decoding: try take(place + mark.count, what()).dropLast(mark.count), as: UTF8.self)
            }
            searched = max(0, received.count - mark.count + 1)
            try receive(what())
        }
    }

    /// Waits for the server to end the connection, and takes what it said before.
    @discardableResult
    func takeRest(within time: Duration = patience) throws -> [UInt8] {
        while !hasEnded { try receive(within: time, "end of the connection") }
        defer { received = [] }
        return received
    }

    /// Reads what is there from the first of these wires that has something, or ends.
    ///
    /// - Returns: false where none did in time.
    static func waitForAny(of wires: [Wire], within time: Duration = patience) throws -> Bool {
        let wires = wires.filter { !$0.hasEnded }
        guard wait(for: wires, Int16(POLLIN), until: ContinuousClock.now + time) else { return false }
        for wire in wires { wire.readWhatIsThere() }
        return true
    }

    private func readWhatIsThere() {
        withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 1) { buffer in
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 {
                received += UnsafeRawBufferPointer(buffer)[..<count]
            } else if count == 0 || errno != EAGAIN && errno != EINTR {
                hasEnded = true
            }
        }
    }

    private static func wait(for wires: [Wire], _ events: Int16, until deadline: ContinuousClock.Instant) -> Bool {
        var polls = wires.map { pollfd(fd: $0.descriptor, events: events, revents: 0) }
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { return false }
            let milliseconds = left / .milliseconds(1)
            if poll(&polls, nfds_t(polls.count), Int32(clamping: Int64(milliseconds.rounded(.up)))) > 0 { return true }
        }
    }

    // MARK: Ending

    /// Ends this side; the server's may go on.
    func endOutput() { shutdown(descriptor, Int32(SHUT_WR)) }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        Glibc.close(descriptor)
    }

    /// Breaks the connection off: the server is told by a reset.
    func reset() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        close()
    }
}

/// What a server did not do.
struct WireFailure: Error, CustomStringConvertible {
    let description: String

    init(_ sentence: String, _ received: [UInt8] = []) {
        let text = String(decoding: received.prefix(400), as: UTF8.self)
        description = received.isEmpty ? sentence : "\(sentence); there was: \(text)"
    }
}
