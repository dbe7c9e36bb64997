/// The numbers of those entries that something holds for, the oldest first.
///
/// Of each entry it is asked once, when ``update(_:_:)`` meets it; what is in is found by halving.
struct EntryIndex: Sendable {
    private var numbers: [Int] = []
    /// Those before it have gone.
    private var head = 0
    /// The first entry of which it was not asked yet.
    private var next = 0

    /// Asks of the entries that came since, and lets go of those that went.
    mutating func update(_ timeline: Timeline, _ isIn: (Int, Entry) -> Bool) {
        let ids = timeline.ids
        var id = max(next, ids.lowerBound)
        while let entry = timeline[id] {
            if isIn(id, entry) { numbers.append(id) }
            id += 1
        }
        next = ids.upperBound
        while head < numbers.count, numbers[head] < ids.lowerBound { head += 1 }
        // Moving the rest to the front costs little when it is done seldom.
        if head > 1024, head > numbers.count / 2 {
            numbers.removeFirst(head)
            head = 0
        }
    }

    var count: Int { numbers.count - head }
    var first: Int? { head < numbers.count ? numbers[head] : nil }
    var last: Int? { head < numbers.count ? numbers.last : nil }

    /// How many are in that stand before an entry; also its place, from 0, where it is in itself.
    func count(before id: Int) -> Int {
        var low = head
        var high = numbers.count
        while low < high {
            let middle = low + (high - low) / 2
            if numbers[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low - head
    }

    func count(after id: Int) -> Int { count - count(before: id) - (contains(id) ? 1 : 0) }

    func contains(_ id: Int) -> Bool { self[count(before: id)] == id }

    /// The one at a place from 0; nil where there are fewer.
    subscript(place: Int) -> Int? {
        (0..<count).contains(place) ? numbers[head + place] : nil
    }
}
