/// The members of a JSON object, in the order in which their keys first came.
///
/// Most objects on the wire are small, and a scan beats hashing there; past ``indexingThreshold`` members an index
/// takes over, so that a peer who sends an object of a hundred thousand keys buys no quadratic work. Keys are compared
/// by their bytes. Two objects are equal when they have equal members, in whatever order.
public struct JSONObject: Sendable {
    /// One member.
    public typealias Element = (key: String, value: JSON)

    /// The most members that are looked up by a scan.
    static let indexingThreshold = 16

    private var members: [Element] = []
    /// Where each key stands in `members`; nil while a scan is the faster way.
    private var positions: [KeyBytes: Int]?

    /// An object without members.
    public init() {}

    /// An object with these members, in this order; of a key given twice, the last value stands at the first place,
    /// as in JavaScript.
    public init(_ pairs: some Sequence<(String, JSON)>) {
        members.reserveCapacity(pairs.underestimatedCount)
        for (key, value) in pairs {
            set(value, for: key)
        }
    }

    /// The keys, in order.
    public var keys: [String] {
        members.map(\.key)
    }

    /// The values, in the order of their keys.
    public var values: [JSON] {
        members.map(\.value)
    }

    /// The value of a key; nil when the object has no such key.
    ///
    /// Setting replaces the value where the key stands, or adds the member at the end. Setting nil removes the member,
    /// which takes time in proportion to the number of members; to store a JSON `null`, set `.null`.
    public subscript(key: String) -> JSON? {
        get {
            guard let position = position(of: key) else { return nil }
            return members[position].value
        }
        set {
            if let newValue {
                set(newValue, for: key)
            } else {
                removeValue(forKey: key)
            }
        }
    }

    /// Removes a member and returns its value; nil when the object has no such key. The others keep their order.
    @discardableResult
    public mutating func removeValue(forKey key: String) -> JSON? {
        guard let position = position(of: key) else { return nil }
        let removed = members.remove(at: position).value
        if positions != nil {
            rebuildIndex()
        }
        return removed
    }

    mutating func set(_ value: JSON, for key: String) {
        if let position = position(of: key) {
            members[position].value = value
            return
        }
        members.append((key, value))
        if positions != nil {
            positions?[KeyBytes(text: key)] = members.count - 1
        } else if members.count > Self.indexingThreshold {
            rebuildIndex()
        }
    }

    private func position(of key: String) -> Int? {
        if let positions {
            return positions[KeyBytes(text: key)]
        }
        return members.firstIndex { $0.key.hasSameBytes(as: key) }
    }

    private mutating func rebuildIndex() {
        guard members.count > Self.indexingThreshold else {
            positions = nil
            return
        }
        var index = [KeyBytes: Int](minimumCapacity: members.count * 2)
        for (position, member) in members.enumerated() {
            index[KeyBytes(text: member.key)] = position
        }
        positions = index
    }
}

extension JSONObject: RandomAccessCollection {
    /// The position of the first member.
    public var startIndex: Int { members.startIndex }
    /// The position after the last member.
    public var endIndex: Int { members.endIndex }

    /// The member at a position.
    ///
    /// - Precondition: the position lies within `startIndex..<endIndex`.
    public subscript(position: Int) -> Element {
        members[position]
    }
}

extension JSONObject: Hashable {
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.allSatisfy { right[$0.key] == $0.value }
    }

    public func hash(into hasher: inout Hasher) {
        // A sum does not depend on the order, as equality does not.
        var sum = 0
        for (key, value) in members {
            var member = Hasher()
            key.hashBytes(into: &member)
            member.combine(value)
            sum &+= member.finalize()
        }
        hasher.combine(members.count)
        hasher.combine(sum)
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// An object with these members, in this order; of a key given twice the last value stands.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self.init(elements)
    }
}

extension JSONObject: CustomStringConvertible {
    /// The object as compact JSON text.
    public var description: String {
        JSON.object(self).description
    }
}

/// A key that is hashed and compared by its bytes.
///
/// `String` hashes and compares by canonical equivalence. That would merge two different keys of a peer, and it would
/// let him choose any number of different keys of one hash: the same combining marks in another order.
private struct KeyBytes: Hashable, Sendable {
    let text: String

    static func == (left: KeyBytes, right: KeyBytes) -> Bool {
        left.text.hasSameBytes(as: right.text)
    }

    func hash(into hasher: inout Hasher) {
        text.hashBytes(into: &hasher)
    }
}

extension String {
    /// Whether both are the same sequence of UTF-8 bytes.
    package func hasSameBytes(as other: String) -> Bool {
        // Texts of different length differ; texts that are not even canonically equivalent differ in their bytes.
        utf8.count == other.utf8.count && self == other && utf8.elementsEqual(other.utf8)
    }

    /// Feeds the UTF-8 bytes to a hasher, closed by a byte that no UTF-8 text contains.
    func hashBytes(into hasher: inout Hasher) {
        let fed: Void? = utf8.withContiguousStorageIfAvailable { bytes in
            hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
        }
        if fed == nil {
            for byte in utf8 {
                hasher.combine(byte)
            }
        }
        hasher.combine(0xFF as UInt8)
    }
}
