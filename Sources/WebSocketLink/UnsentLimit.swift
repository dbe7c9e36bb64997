import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension Channel {
    /// Has the operating system take no more for the peer than it can soon send, and these bytes.
    ///
    /// Otherwise its buffer grows to megabytes for a peer that reads slowly, all of which must be read before anything
    /// newer, and which no queue can fold, drop or take back any more.
    func limitUnsent(to bytes: Int) {
        // A channel that is no TCP socket has no such buffer.
        try? syncOptions?.setOption(
            .tcpOption(NIOBSDSocket.Option(rawValue: TCP_NOTSENT_LOWAT)),
            value: ChannelOptions.Types.SocketOption.Value(bytes))
    }
}
