import Terminal

/// Making text fit with the ellipsis that this screen can show.
extension ScreenState {
    var signs: Signs { Signs(isUnicode: isUnicode) }

    /// A text in at most so many columns.
    func fitted(_ text: some StringProtocol, to width: Int, keeping: TextFitting.Keeping = .start) -> String {
        TextFitting.truncated(text, to: width, ellipsis: signs.ellipsis, keeping: keeping)
    }

    /// A text in exactly so many columns.
    func padded(_ text: some StringProtocol, to width: Int) -> String {
        TextFitting.padded(text, to: width, ellipsis: signs.ellipsis)
    }
}
