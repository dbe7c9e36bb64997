/// Text in one style.
public struct Span: Hashable, Sendable {
    public var text: String
    public var style: Style

    public init(_ text: String, _ style: Style = .plain) {
        self.text = text
        self.style = style
    }
}

/// A line whose parts look different: what a view builds, cuts to size and draws.
public struct StyledText: Hashable, Sendable, ExpressibleByArrayLiteral {
    public var spans: [Span]

    public init(_ spans: [Span] = []) {
        self.spans = spans
    }

    public init(_ text: String, _ style: Style = .plain) {
        spans = [Span(text, style)]
    }

    public init(arrayLiteral elements: Span...) {
        spans = elements
    }

    /// The text without its looks.
    public var string: String { spans.reduce(into: "") { $0 += $1.text } }

    /// The columns it takes on one line.
    public var width: Int { spans.reduce(0) { $0 + DisplayWidth.of($1.text) } }

    public mutating func append(_ text: String, _ style: Style = .plain) {
        spans.append(Span(text, style))
    }

    /// At most `width` columns, shortened at the end; the ellipsis takes the style of what it stands for.
    public func truncated(to width: Int, ellipsis: String = "…") -> StyledText {
        guard self.width > width else { return self }
        let mark = DisplayWidth.of(ellipsis) < width ? ellipsis : ""
        var left = width - DisplayWidth.of(mark)
        var result = StyledText()
        for span in spans {
            let taken = TextFitting.truncated(span.text, to: left, ellipsis: "")
            if !taken.isEmpty { result.append(taken, span.style) }
            left -= DisplayWidth.of(taken)
            if taken.utf8.count < span.text.utf8.count {
                if !mark.isEmpty { result.append(mark, span.style) }
                break
            }
        }
        return result
    }

    /// The same as lines of at most `width` columns: ``TextFitting/wrapped(_:to:_:)`` over the whole text, so that a
    /// word in two styles is not broken between them.
    public func wrapped(to width: Int, _ wrapping: TextFitting.Wrapping = .words) -> [StyledText] {
        let whole = string
        return TextFitting.wrapped(whole, to: width, wrapping).map { line in
            let utf8 = whole.utf8
            let start = utf8.distance(from: utf8.startIndex, to: line.startIndex)
            return slice(start..<(start + line.utf8.count))
        }
    }

    /// The same with another look for `range`, given in UTF-8 bytes from the start of ``string``: a search hit, say.
    /// What reaches outside is ignored.
    public func restyled(_ range: Range<Int>, _ change: (inout Style) -> Void) -> StyledText {
        let length = spans.reduce(0) { $0 + $1.text.utf8.count }
        let range = range.clamped(to: 0..<length)
        var middle = slice(range)
        for index in middle.spans.indices { change(&middle.spans[index].style) }
        return StyledText(slice(0..<range.lowerBound).spans + middle.spans + slice(range.upperBound..<length).spans)
    }

    /// The part between two byte offsets.
    private func slice(_ range: Range<Int>) -> StyledText {
        var result = StyledText()
        var offset = 0
        for span in spans {
            let utf8 = span.text.utf8
            let own = range.clamped(to: offset..<(offset + utf8.count))
            if !own.isEmpty {
                let start = utf8.index(utf8.startIndex, offsetBy: own.lowerBound - offset)
                let end = utf8.index(utf8.startIndex, offsetBy: own.upperBound - offset)
                result.append(String(decoding: utf8[start..<end], as: UTF8.self), span.style)
            }
            offset += utf8.count
        }
        return result
    }
}
