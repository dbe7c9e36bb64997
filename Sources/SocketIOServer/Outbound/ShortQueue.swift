import NIOCore

/// A queue that keeps its first element in place, and has storage for more only where there is more.
///
/// What a socket is sent is mostly gone before the next thing comes. With thousands of sockets each piece of memory
/// that a delivery has to look at is one that is no longer in the processor's caches, so that storage elsewhere would
/// cost more than all that is done with it.
struct ShortQueue<Element> {
    /// Up to how many elements behind the first their storage is kept while it is empty.
    private static var keptCapacity: Int { 16 }

    private var head: Element?
    /// What is behind the first; nil as long as there was nothing.
    private var tail: CircularBuffer<Element>?

    mutating func append(_ element: Element) {
        if head == nil {
            head = element
        } else if tail == nil {
            tail = CircularBuffer(initialCapacity: 4)
            tail?.append(element)
        } else {
            tail?.append(element)
        }
    }

    /// - Precondition: not empty.
    mutating func removeFirst() -> Element {
        guard let first = head.take() else { preconditionFailure("the queue is empty") }
        guard tail != nil else { return first }
        head = tail?.popFirst()
        // A long queue was an exception; its storage is let go with its last element.
        if let tail, tail.isEmpty, tail.capacity > Self.keptCapacity { self.tail = nil }
        return first
    }
}

extension ShortQueue: RandomAccessCollection, MutableCollection {
    var startIndex: Int { 0 }
    var endIndex: Int { head == nil ? 0 : 1 + (tail?.count ?? 0) }
    var isEmpty: Bool { head == nil }
    var first: Element? { head }

    subscript(position: Int) -> Element {
        get {
            if position == 0, let head { return head }
            guard let tail, position > 0 else { preconditionFailure("no such element") }
            return tail[tail.index(tail.startIndex, offsetBy: position - 1)]
        }
        set {
            precondition(indices.contains(position), "no such element")
            if position == 0 {
                head = newValue
            } else if var tail = tail.take() {
                tail[tail.index(tail.startIndex, offsetBy: position - 1)] = newValue
                self.tail = tail
            }
        }
    }
}
