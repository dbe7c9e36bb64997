import NIOCore

/// The bounded queue between the event loop and the one consumer of ``SocketIONamespace/incoming``.
struct SocketIOIncomingQueue {
    typealias Strategy = NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark
    typealias Elements = NIOAsyncSequenceProducer<SocketIOIncoming, Strategy, Demand>

    let source: Elements.Source
    let elements: Elements
    let demand: Demand

    /// - Parameter limit: how many elements may wait, at least one. Production resumes at half of them.
    init(limit: Int, eventLoop: any EventLoop) {
        let demand = Demand(eventLoop: eventLoop)
        let queue = NIOAsyncSequenceProducer.makeSequence(
            elementType: SocketIOIncoming.self,
            backPressureStrategy: Strategy(lowWatermark: max(1, limit / 2), highWatermark: max(1, limit)),
            finishOnDeinit: false,
            delegate: demand
        )
        source = queue.source
        elements = queue.sequence
        self.demand = demand
    }

    /// Carries the consumer's wish for more to the event loop.
    final class Demand: NIOAsyncSequenceProducerDelegate {
        private let action: NIOLoopBoundBox<(() -> Void)?>

        init(eventLoop: any EventLoop) {
            action = .makeEmptyBox(valueType: (() -> Void).self, eventLoop: eventLoop)
        }

        /// Sets what is to happen when half of the queue is left or nobody will read any more. Only on the event loop.
        func setAction(_ action: (() -> Void)?) {
            self.action.value = action
        }

        func produceMore() {
            action.eventLoop.execute { [action] in
                action.value?()
            }
        }

        /// Elements are dropped from now on, and must not stand in the way of acknowledgements.
        func didTerminate() {
            produceMore()
        }
    }
}
