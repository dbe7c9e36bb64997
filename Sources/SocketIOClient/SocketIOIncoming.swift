import NIOCore
import SocketIO
import Synchronization
import WireJSON

/// One thing that came from the server in a namespace, or the namespace's end.
public enum SocketIOIncoming: Sendable {
    /// An event. Binary arguments are placeholders whose number is the position in `attachments`; see
    /// ``SocketIO/SocketPacket/placeholderNumber(of:)``. With `acknowledge` the server waits for an answer.
    case event(name: String, arguments: [JSON], attachments: [ByteBuffer], acknowledge: SocketIOAcknowledger?)
    /// An acknowledgement that somebody waits for came here, between the events before it and those behind it. The id
    /// is that of ``SocketIOAcknowledgement``.
    case acknowledgement(id: Int64)
    /// The end; nothing follows.
    case disconnected(SocketIODisconnectReason)
}

/// What the server answered to an event.
public struct SocketIOAcknowledgement: Sendable, Equatable {
    /// Stands in ``SocketIOIncoming/acknowledgement(id:)`` at the place where this came.
    public let id: Int64
    /// Binary arguments are placeholders whose number is the position in ``attachments``.
    public let arguments: [JSON]
    public let attachments: [ByteBuffer]
}

/// Answers one event of the server, once; what comes after the first answer, or the namespace's end, is dropped.
public struct SocketIOAcknowledger: Sendable {
    private final class Once: Sendable {
        let isUsed = Atomic(false)
    }

    let id: Int64
    private let namespace: NIOLoopBound<NamespaceSession>
    private let once = Once()

    init(id: Int64, namespace: NIOLoopBound<NamespaceSession>) {
        self.id = id
        self.namespace = namespace
    }

    /// Sends the answer.
    ///
    /// - Parameter attachments: the bytes of the placeholders in `arguments`, in the order of their numbers.
    public func callAsFunction(_ arguments: [JSON] = [], attachments: [ByteBuffer] = []) {
        guard !once.isUsed.exchange(true, ordering: .relaxed) else { return }
        namespace.eventLoop.execute { [id, namespace] in
            namespace.value.acknowledge(id, arguments, attachments)
        }
    }
}

/// What comes from the server in a namespace, in the order in which it was sent, and at last the namespace's end.
///
/// It has one consumer: making a second iterator is a programming error. It keeps its namespace joined. When the task
/// that waits for the next element is cancelled, the sequence is over for good, though the namespace isn't.
///
/// Buffers in it may share their storage with the bytes that were read from the network: copy them before keeping them
/// for long.
public struct SocketIOIncomingSequence: AsyncSequence, Sendable {
    public typealias Element = SocketIOIncoming
    public typealias Failure = Never

    let base: SocketIOIncomingElements
    let namespace: SocketIONamespace?

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(base: base.iterate(), namespace: namespace)
    }

    /// For one caller at a time. A copy goes on where the original stands.
    public struct AsyncIterator: AsyncIteratorProtocol, Sendable {
        let base: SocketIOIncomingElements.Iteration
        let namespace: SocketIONamespace?

        public mutating func next() async -> SocketIOIncoming? {
            await base.queue.next(isolation: nil)
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async -> SocketIOIncoming? {
            await base.queue.next(isolation: actor)
        }

        /// All that has arrived and was not taken yet, at least one element; nil where ``next()`` would say nil.
        ///
        /// They no longer count as unread: who takes them has to bound what he keeps.
        public mutating func nextBatch(
            isolation actor: isolated (any Actor)? = #isolation
        ) async -> [SocketIOIncoming]? {
            await base.queue.nextBatch(isolation: actor)
        }
    }
}
