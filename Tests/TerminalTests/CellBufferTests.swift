import Testing

@testable import Terminal

@Suite("Cell buffer")
struct CellBufferTests {
    @Test("text is drawn by width, and the column after it is told")
    func drawsByWidth() {
        var buffer = CellBuffer(Size(columns: 10, rows: 2))
        #expect(buffer.draw("a漢b", row: 0, column: 1) == 5)
        #expect(buffer.text == " a漢b\n")
        #expect(buffer[Position(row: 0, column: 2)].width == 2)
        #expect(buffer[Position(row: 0, column: 3)].width == 0)
        #expect(buffer[Position(row: 0, column: 4)].text == "b")
    }

    @Test("a wide character that does not fit at the right edge becomes a space")
    func clipsWideAtTheRight() {
        var buffer = CellBuffer(Size(columns: 5, rows: 1))
        buffer.fill(Rect(buffer.size), ".")
        #expect(buffer.draw("漢字漢", row: 0, column: 0) == 5)
        #expect(buffer.text(row: 0) == "漢字")
        #expect(buffer[Position(row: 0, column: 4)].text == " ")
    }

    @Test("text scrolled to the left shows its rest, and half a wide character as a space")
    func clipsAtTheLeft() {
        var buffer = CellBuffer(Size(columns: 6, rows: 1))
        buffer.fill(Rect(buffer.size), ".")
        #expect(buffer.draw("漢字x", row: 0, column: -1) == 4)
        #expect(buffer.text(row: 0) == " 字x..")
        #expect(buffer.draw("abcdef", row: 0, column: -2, in: 1..<3) == 3)
        #expect(buffer.text(row: 0) == " dex..")
    }

    @Test("drawing over one half of a wide character leaves a space in the other")
    func overwritesHalves() {
        var buffer = CellBuffer(Size(columns: 6, rows: 1))
        buffer.draw("漢字漢", row: 0, column: 0)
        buffer.draw("x", row: 0, column: 1)
        #expect(buffer.row(0).map(\.text) == [" ", "x", "字", "", "漢", ""])
        buffer.draw("大", row: 0, column: 3)
        #expect(buffer.row(0).map(\.text) == [" ", "x", " ", "大", "", " "])
    }

    @Test("nothing outside is touched, and no position is an error")
    func clipsEverything() {
        var buffer = CellBuffer(Size(columns: 3, rows: 2))
        buffer.draw("far", row: 7, column: 0)
        buffer.draw("far", row: -1, column: 0)
        buffer.draw("far", row: 0, column: 99)
        buffer.draw("far", row: 0, column: -99)
        buffer.fill(Rect(row: -5, column: -5, rows: 2, columns: 2), "x")
        buffer.box(Rect(row: 0, column: 0, rows: 1, columns: 1))
        buffer.restyle(Rect(row: -1, column: 2, rows: 99, columns: 99)) { $0 = .bold }
        #expect(buffer.text == "\n")
        #expect(buffer[Position(row: 9, column: 9)].text == " ")
        #expect(CellBuffer(Size(columns: -1, rows: 5)).text(row: 0) == "")
    }

    @Test("a box has corners, and joins where it is told to; in ASCII too")
    func boxes() {
        var buffer = CellBuffer(Size(columns: 5, rows: 3))
        buffer.box(Rect(buffer.size))
        #expect(buffer.text == "┌───┐\n│   │\n└───┘")
        buffer.box(Rect(buffer.size), .plain, .ascii)
        #expect(buffer.text == "+---+\n|   |\n+---+")
        buffer.verticalLine(column: 2, rows: 0..<3)
        buffer.horizontalLine(row: 1, columns: 1..<4)
        #expect(buffer.text == "+-│-+\n|───|\n+-│-+")
    }

    @Test("spans follow one another, also where the first is scrolled out of sight")
    func drawsSpans() {
        var buffer = CellBuffer(Size(columns: 8, rows: 1))
        let text: StyledText = [Span("abc", .bold), Span("漢", .dim), Span("xyz")]
        #expect(buffer.draw(text, row: 0, column: 0) == 8)
        #expect(buffer[Position(row: 0, column: 3)].style == .dim)
        buffer.fill(Rect(buffer.size))
        #expect(buffer.draw(text, row: 0, column: -4) == 4)
        #expect(buffer.text(row: 0) == " xyz")
        buffer.fill(Rect(buffer.size))
        #expect(buffer.draw(text, row: 0, column: 0, in: 4..<6) == 6)
        #expect(buffer.text(row: 0) == "     x")
    }

    @Test("a wide character that is half inside changes its looks whole")
    func restylesWide() {
        var buffer = CellBuffer(Size(columns: 4, rows: 1))
        buffer.draw("漢字", row: 0, column: 0)
        buffer.restyle(Rect(row: 0, column: 1, rows: 1, columns: 2)) { $0.attributes.insert(.reverse) }
        #expect(buffer.row(0).allSatisfy { $0.style == .reverse })
    }

    @Test("whatever is drawn, wide cells are whole and rows as wide as the buffer", arguments: 0..<200)
    func invariants(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var buffer = CellBuffer(Size(columns: 17, rows: 3))
        for _ in 0..<20 {
            let row = Int.random(in: -1...3, using: &generator)
            let column = Int.random(in: -10...20, using: &generator)
            let style = Style(.ansi(UInt8.random(in: 0..<8, using: &generator)))
            if Bool.random(using: &generator) {
                buffer.draw(generator.text(pieces: 8), row: row, column: column, style)
            } else {
                buffer.restyle(Rect(row: row, column: column, rows: 1, columns: 5)) { $0 = style }
            }
            for row in 0..<3 { expectWhole(Array(buffer.row(row))) }
        }
    }

    private func expectWhole(_ row: [Cell]) {
        for (column, cell) in row.enumerated() {
            switch cell.width {
            case 0:
                #expect(column > 0 && row[column - 1].width == 2 && row[column - 1].style == cell.style)
                #expect(cell.text.isEmpty)
            case 1: #expect(!cell.text.isEmpty)
            case 2: #expect(column + 1 < row.count && row[column + 1].width == 0)
            default: Issue.record("width \(cell.width)")
            }
        }
        #expect(row.count == 17)
    }
}

@Suite("Changes between frames")
struct ChangesTests {
    @Test("an unchanged frame has no changes, and an unknown screen is all changes")
    func extremes() {
        var buffer = CellBuffer(Size(columns: 4, rows: 2))
        buffer.draw("ab", row: 0, column: 0)
        #expect(buffer.changes(since: buffer).isEmpty)
        #expect(buffer.changes(since: nil).map(\.columns) == [0..<4, 0..<4])
        #expect(buffer.changes(since: CellBuffer(Size(columns: 5, rows: 2))).count == 2)
    }

    @Test("only what differs is painted, and a wide character whole")
    func onlyDifferences() {
        var old = CellBuffer(Size(columns: 10, rows: 2))
        old.draw("one 漢 two", row: 0, column: 0)
        var new = old
        new.draw("字", row: 0, column: 4)
        new.draw("!", row: 1, column: 9)
        #expect(
            new.changes(since: old) == [ChangedRun(row: 0, columns: 4..<6), ChangedRun(row: 1, columns: 9..<10)])
        new = old
        new.restyle(Rect(row: 0, column: 0, rows: 1, columns: 1)) { $0 = .bold }
        #expect(new.changes(since: old) == [ChangedRun(row: 0, columns: 0..<1)])
    }

    @Test("painting the changes over the old frame gives the new one", arguments: 0..<200)
    func changesSuffice(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var old = CellBuffer(Size(columns: 15, rows: 2))
        old.draw(generator.text(pieces: 10), row: 0, column: 0)
        old.draw(generator.text(pieces: 10), row: 1, column: 0)
        var new = old
        for _ in 0..<2 {
            let row = Int.random(in: 0...1, using: &generator)
            new.draw(generator.text(pieces: 3), row: row, column: Int.random(in: 0..<15, using: &generator))
        }
        var painted = old
        for run in new.changes(since: old) {
            #expect(new[Position(row: run.row, column: run.columns.lowerBound)].width > 0)
            for column in run.columns {
                let cell = new[Position(row: run.row, column: column)]
                guard cell.width > 0 else { continue }
                #expect(column + Int(cell.width) <= run.columns.upperBound)
                painted.set(cell.text, width: Int(cell.width), cell.style, row: run.row, column: column)
            }
        }
        #expect(painted == new)
    }

    @Test("a frame of another size is cut or filled up, and no wide character is cut in two")
    func fits() {
        var buffer = CellBuffer(Size(columns: 4, rows: 2))
        buffer.draw("a漢b", row: 0, column: 0)
        #expect(buffer.fitted(to: Size(columns: 2, rows: 1)).text == "a")
        #expect(buffer.fitted(to: Size(columns: 6, rows: 3)).text == "a漢b\n\n")
    }
}

@Suite("Colours")
struct ColorTests {
    @Test("a colour is brought down to the nearest that the terminal has")
    func reduces() {
        #expect(Color.rgb(255, 0, 0).reduced(to: .trueColor) == .rgb(255, 0, 0))
        #expect(Color.rgb(255, 0, 0).reduced(to: .indexed256) == .indexed(196))
        #expect(Color.rgb(128, 128, 128).reduced(to: .indexed256) == .indexed(244))
        #expect(Color.rgb(250, 10, 10).reduced(to: .ansi16) == .ansi(9))
        #expect(Color.rgb(250, 10, 10).reduced(to: .ansi8) == .ansi(1))
        #expect(Color.rgb(1, 2, 3).reduced(to: .monochrome) == .default)
        #expect(Color.indexed(21).reduced(to: .ansi8) == .ansi(4))
        #expect(Color.indexed(200).reduced(to: .trueColor) == .rgb(255, 0, 215))
        #expect(Color.indexed(244).reduced(to: .trueColor) == .rgb(128, 128, 128))
    }

    @Test("a theme's colours keep their number as long as they can")
    func keepsTheme() {
        #expect(Color.brightRed.reduced(to: .indexed256) == .indexed(9))
        #expect(Color.brightRed.reduced(to: .ansi16) == .ansi(9))
        #expect(Color.brightRed.reduced(to: .ansi8) == .ansi(1))
        #expect(Color.red.reduced(to: .trueColor) == .red)
        #expect(Color.default.reduced(to: .ansi8) == .default)
    }

    @Test("every entry of the palette is its own nearest", arguments: UInt8(16)...255)
    func paletteIsStable(index: UInt8) {
        let (red, green, blue) = Color.indexed(index).components
        let reduced = Color.rgb(red, green, blue).reduced(to: .indexed256)
        #expect(reduced.components == (red, green, blue))
    }

    @Test(
        "depth follows from what the terminal counts",
        arguments: [
            (-1, ColorDepth.monochrome), (0, .monochrome), (8, .ansi8), (16, .ansi16), (88, .ansi16),
            (256, .indexed256),
            (1 << 24, .trueColor),
        ] as [(Int, ColorDepth)])
    func depth(colors: Int, expected: ColorDepth) {
        #expect(ColorDepth(colors: colors) == expected)
    }
}
