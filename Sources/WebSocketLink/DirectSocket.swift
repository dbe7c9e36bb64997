import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A channel's socket, to write to without the channel's detour over queues and vectors, which costs more than the
/// rest of a small message's way through user space.
///
/// It may be used only on the channel's event loop, while the channel is active and holds no bytes of its own.
struct DirectSocket {
    private let handle: NIOBSDSocket.Handle

    /// Nil for channels that have no socket.
    init?(_ pipeline: ChannelPipeline.SynchronousOperations) {
        let handle = try? pipeline.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
        guard let handle else { return nil }
        self.handle = handle
    }

    /// Offers bytes to the operating system, without waiting.
    ///
    /// - Returns: how many it took. None may mean an error too; the channel finds that out when it is given the rest.
    func write(_ bytes: ByteBuffer) -> Int {
        bytes.withUnsafeReadableBytes { pointer in
            #if canImport(Darwin)
                // Sockets of a channel raise no SIGPIPE here, by an option.
                let flags = CInt(MSG_DONTWAIT)
            #else
                let flags = CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL)
            #endif
            return max(0, send(handle, pointer.baseAddress, pointer.count, flags))
        }
    }
}
