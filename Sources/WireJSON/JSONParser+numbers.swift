extension JSONParser {
    /// Reads a number (RFC 8259, section 6).
    ///
    /// An integer in the range of `Int64` is kept exactly, and `-0`, which has no integer, is a double like the rest.
    mutating func parseNumber() throws(JSONSyntaxError) -> JSON {
        var scan = NumberScan(bytes: bytes, start: position)
        try scan.run()
        position = scan.position
        if let integer = scan.integer { return .integer(integer) }
        guard let double = scan.double else { throw JSONSyntaxError(.numberOutOfRange, at: scan.start) }
        return .number(double)
    }
}

/// One walk over a number's digits that checks its form and collects its value.
private struct NumberScan {
    let bytes: UnsafeRawBufferPointer
    let start: Int
    private(set) var position: Int
    private var isNegative = false
    private var isIntegerText = true
    /// The digits without point and exponent, as long as they fit.
    private var digits: UInt64 = 0
    private var digitsOverflowed = false
    private var fractionDigits = 0
    private var exponent = 0

    init(bytes: UnsafeRawBufferPointer, start: Int) {
        self.bytes = bytes
        self.start = start
        position = start
    }

    private var current: UInt8 {
        position < bytes.count ? bytes[position] : 0
    }

    mutating func run() throws(JSONSyntaxError) {
        if current == .minus {
            isNegative = true
            position += 1
        }
        if current == .zero {
            position += 1
            guard !isDigit(current) else { throw JSONSyntaxError(.malformedNumber, at: position) }
        } else {
            _ = try readDigits()
        }
        if current == .point {
            isIntegerText = false
            position += 1
            fractionDigits = try readDigits()
        }
        if current | 0x20 == UInt8(ascii: "e") {
            isIntegerText = false
            position += 1
            try readExponent()
        }
    }

    /// The value when the text spells an integer that `Int64` holds.
    var integer: Int64? {
        guard isIntegerText, !digitsOverflowed else { return nil }
        guard isNegative else { return Int64(exactly: digits) }
        guard digits != 0, digits <= Int64.min.magnitude else { return nil }
        return Int64(truncatingIfNeeded: 0 &- digits)
    }

    /// The nearest double; nil when that is infinite.
    var double: Double? {
        let value = quickDouble ?? Double(String(decoding: bytes[start..<position], as: UTF8.self)) ?? .infinity
        return value.isFinite ? value : nil
    }

    /// The nearest double where one operation on exact operands gives it: digits up to 2^53, scaled by a power of ten
    /// that a double holds exactly (W. D. Clinger, "How to read floating point numbers accurately", 1990).
    private var quickDouble: Double? {
        let scale = exponent - fractionDigits
        guard !digitsOverflowed, digits <= 1 << 53, abs(scale) < exactPowersOfTen.count else { return nil }
        let magnitude =
            scale < 0
            ? Double(digits) / exactPowersOfTen[-scale]
            : Double(digits) * exactPowersOfTen[scale]
        return isNegative ? -magnitude : magnitude
    }

    /// Reads one digit or more into `digits`, and returns how many.
    private mutating func readDigits() throws(JSONSyntaxError) -> Int {
        let first = position
        while isDigit(current) {
            let digit = UInt64(current - .zero)
            if digits < 1_000_000_000_000_000_000 {
                digits = digits * 10 + digit
            } else {
                let (tenfold, overflow) = digits.multipliedReportingOverflow(by: 10)
                let (sum, carry) = tenfold.addingReportingOverflow(digit)
                digits = sum
                digitsOverflowed = digitsOverflowed || overflow || carry
            }
            position += 1
        }
        guard position > first else { throw missingDigit() }
        return position - first
    }

    private mutating func readExponent() throws(JSONSyntaxError) {
        let isNegative = current == .minus
        if isNegative || current == .plus {
            position += 1
        }
        let first = position
        var magnitude = 0
        while isDigit(current) {
            // Past a million the value is zero or infinite whatever follows, and the sum cannot overflow.
            if magnitude < 1_000_000 {
                magnitude = magnitude * 10 + Int(current - .zero)
            }
            position += 1
        }
        guard position > first else { throw missingDigit() }
        exponent = isNegative ? -magnitude : magnitude
    }

    private func missingDigit() -> JSONSyntaxError {
        JSONSyntaxError(position < bytes.count ? .malformedNumber : .unexpectedEnd, at: position)
    }

    private func isDigit(_ byte: UInt8) -> Bool {
        UInt8.zero <= byte && byte <= .nine
    }
}

/// 10^0 ... 10^22, the powers of ten that a double holds exactly.
private let exactPowersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
]
