import Terminal

/// A frame full of text that tears rows in terminals and programs that count columns differently.
struct Scene {
    var size: Size
    let capabilities: Capabilities
    var lastEvent = "none"
    var number = 0

    init(size: Size, capabilities: Capabilities) {
        self.size = size
        self.capabilities = capabilities
    }

    static let lines: [StyledText] = [
        StyledText("CJK 漢字 かな 한글 ｆｕｌｌ", Style(.yellow)),
        StyledText("emoji 👍🚀😀 new 🫩 old ☺", Style(.rgb(255, 128, 0), on: .blue)),
        StyledText("family 👨‍👩‍👧 tone 👍🏽 flag 🇯🇵|"),
        StyledText("vs16 ❤️ keycap 1️⃣ rainbow 🏳️‍🌈|", .bold),
        StyledText("marks e\u{301} a\u{323}\u{301} jamo \u{1112}\u{1161}\u{11AB} क्षि|", .reverse),
        StyledText("controls \u{1B}[2J \u{9B}31m \u{7} \u{202E}rtl|", .underline),
        StyledText(String(repeating: "漢", count: 100), .italic),
        StyledText("x" + String(repeating: "👩‍🚀", count: 100), .dim),
    ]

    /// On the row that tells the number.
    var cursor: Position { Position(row: size.rows - 2, column: 1) }

    func frame() -> CellBuffer {
        var frame = CellBuffer(size)
        frame.box(Rect(size), Style(.cyan), capabilities.lineArt)
        let inside = 1..<max(1, size.columns - 1)
        for (index, line) in Self.lines.enumerated() where index < size.rows - 4 {
            frame.draw(line, row: index + 1, column: 1, in: inside)
        }
        // An emoji that stays, between figures that change.
        frame.draw("number \(number) 👍 \(number) size \(size)", row: size.rows - 2, column: 1, in: inside)
        frame.draw("event \(lastEvent)", row: size.rows - 3, column: 1, in: inside)
        // Emoji that come and go, with nothing but spaces after them.
        if number % 2 == 1 { frame.draw("🚀❤️", row: size.rows - 3, column: size.columns - 6, in: inside) }
        return frame
    }
}
