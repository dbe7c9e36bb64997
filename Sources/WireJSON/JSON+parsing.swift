extension JSON {
    /// The deepest nesting that is ever parsed, whatever the caller allows: values nest by recursion when they are
    /// encoded, compared and freed, and the stack of a thread is finite.
    public static let depthCeiling = 512

    /// Parses a JSON text (RFC 8259, strictly).
    ///
    /// Of a key that comes twice the last value stands, as in JavaScript. An escaped surrogate without its partner
    /// becomes U+FFFD, since no `String` can hold it.
    ///
    /// - Parameters:
    ///   - bytes: the text in UTF-8, without a byte order mark.
    ///   - maximumDepth: how many arrays and objects may stand within each other; a scalar has depth 0. Values above
    ///     ``depthCeiling`` count as that.
    /// - Throws: ``JSONSyntaxError`` with the place of the first fault.
    @inlinable
    public init(parsing bytes: some Collection<UInt8>, maximumDepth: Int = 64) throws(JSONSyntaxError) {
        let contiguous = bytes.withContiguousStorageIfAvailable { buffer in
            JSON.parse(UnsafeRawBufferPointer(buffer), maximumDepth: maximumDepth)
        }
        if let contiguous {
            self = try contiguous.get()
        } else {
            let copy = Array(bytes)
            self = try copy.withUnsafeBytes { JSON.parse($0, maximumDepth: maximumDepth) }.get()
        }
    }

    /// Parses a JSON text held in a string, by the rules that hold for bytes. Offsets of errors count UTF-8 bytes.
    public init(parsing text: some StringProtocol, maximumDepth: Int = 64) throws(JSONSyntaxError) {
        try self.init(parsing: text.utf8, maximumDepth: maximumDepth)
    }

    /// Parses a JSON text in raw memory, by the rules that hold for collections of bytes.
    public init(parsing bytes: UnsafeRawBufferPointer, maximumDepth: Int = 64) throws(JSONSyntaxError) {
        self = try JSON.parse(bytes, maximumDepth: maximumDepth).get()
    }

    @usableFromInline
    static func parse(_ bytes: UnsafeRawBufferPointer, maximumDepth: Int) -> Result<JSON, JSONSyntaxError> {
        var parser = JSONParser(bytes: bytes, maximumDepth: min(maximumDepth, depthCeiling))
        do throws(JSONSyntaxError) {
            return .success(try parser.parseText())
        } catch {
            return .failure(error)
        }
    }
}
