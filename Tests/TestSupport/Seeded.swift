/// A generator of which each run gives the same numbers (SplitMix64), so that a failure can be looked at again.
public struct Seeded: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(_ seed: UInt64) {
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, and without, the bound.
    public mutating func below(_ bound: Int) -> Int {
        Int(next() % UInt64(bound))
    }
}

extension Seeded {
    /// Bytes as a hostile peer might send them: a third of them made up from an alphabet, the others samples in which
    /// bytes were replaced, removed, doubled or exchanged with those of another sample.
    public mutating func hostileBytes(like samples: [[UInt8]], alphabet: [UInt8]) -> [UInt8] {
        if below(3) == 0 {
            return (0..<below(40)).map { _ in below(8) == 0 ? UInt8(below(256)) : alphabet[below(alphabet.count)] }
        }
        var bytes = samples[below(samples.count)]
        for _ in 0...below(4) where !bytes.isEmpty {
            let index = below(bytes.count)
            switch below(5) {
            case 0: bytes[index] = UInt8(below(256))
            case 1: bytes[index] = alphabet[below(alphabet.count)]
            case 2: bytes.remove(at: index)
            case 3: bytes.insert(bytes[index], at: index)
            default: bytes.replaceSubrange(index..., with: samples[below(samples.count)].suffix(below(30)))
            }
        }
        return bytes
    }
}
