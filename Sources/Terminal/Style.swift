/// How a cell looks besides its text.
public struct Style: Hashable, Sendable {
    /// What every terminal since the VT100 can do, and italics.
    public struct Attributes: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let bold = Attributes(rawValue: 1)
        public static let dim = Attributes(rawValue: 2)
        public static let italic = Attributes(rawValue: 4)
        public static let underline = Attributes(rawValue: 8)
        /// Foreground and background exchanged.
        public static let reverse = Attributes(rawValue: 16)
    }

    public var foreground: Color
    public var background: Color
    public var attributes: Attributes

    public init(_ foreground: Color = .default, on background: Color = .default, _ attributes: Attributes = []) {
        self.foreground = foreground
        self.background = background
        self.attributes = attributes
    }

    /// The terminal's own colours, no attributes.
    public static let plain = Style()
    public static let bold = Style(.bold)
    public static let dim = Style(.dim)
    public static let italic = Style(.italic)
    public static let underline = Style(.underline)
    public static let reverse = Style(.reverse)

    /// Attributes alone, in the terminal's own colours.
    public init(_ attributes: Attributes) {
        self.init(.default, on: .default, attributes)
    }

    /// The same with these attributes added.
    public func adding(_ attributes: Attributes) -> Style {
        var style = self
        style.attributes.formUnion(attributes)
        return style
    }

    /// The same over another background.
    public func on(_ background: Color) -> Style {
        var style = self
        style.background = background
        return style
    }

    /// The nearest look that a terminal of this depth has.
    public func reduced(to depth: ColorDepth) -> Style {
        Style(foreground.reduced(to: depth), on: background.reduced(to: depth), attributes)
    }
}
