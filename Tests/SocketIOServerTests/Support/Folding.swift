@testable import SocketIOServer

extension OutboundQueue {
    /// All at once, whether or not it is worthwhile.
    mutating func fold() {
        var folder = OutboundFolder(self)
        while !folder.isFinished { folder.work(on: self, budget: 1 << 20) }
        apply(folder)
    }
}
