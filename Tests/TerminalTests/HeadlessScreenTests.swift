import Terminal
import Testing

@Suite("Headless screen")
@MainActor
struct HeadlessScreenTests {
    private let size = Size(columns: 20, rows: 3)

    private func frame(_ text: String, _ style: Style = .plain) -> CellBuffer {
        var frame = CellBuffer(size)
        frame.draw(text, row: 1, column: 2, style)
        return frame
    }

    @Test("it keeps the last frame with its looks, and the cursor")
    func keepsFrames() {
        let screen = HeadlessScreen(size)
        screen.present(frame("漢字", .bold), cursor: Position(row: 1, column: 2))
        #expect(screen.shown.text(row: 1) == "  漢字")
        #expect(screen.shown[Position(row: 1, column: 2)].style == .bold)
        #expect(screen.cursor == Position(row: 1, column: 2))
        screen.present(frame("x"), cursor: Position(row: 9, column: 9))
        #expect(screen.cursor == nil)
    }

    @Test("only changed cells are painted, and the same frame again costs nothing")
    func paintsDifferences() {
        let screen = HeadlessScreen(size)
        screen.present(frame("one"))
        #expect(screen.paintedCells == 60)
        screen.present(frame("one"))
        #expect(screen.paintedCells == 60)
        #expect(screen.paintedFrames == 1)
        screen.present(frame("onX"))
        #expect(screen.paintedCells == 61)
        screen.present(frame("onX"), cursor: Position(row: 0, column: 0))
        #expect(screen.paintedCells == 61)
        #expect(screen.paintedFrames == 3)
        screen.repaint()
        #expect(screen.paintedCells == 121)
    }

    @Test("a resize is told, and the next frame is painted whole in the new size")
    func resizes() {
        let screen = HeadlessScreen(size)
        let ear = Ear(screen)
        screen.present(frame("one"))
        screen.resize(to: Size(columns: 4, rows: 2))
        screen.present(frame("one"))
        #expect(screen.shown.text == "\n  on")
        #expect(ear.heard == [.resize(Size(columns: 4, rows: 2))])
    }

    @Test("events are told in order, those from before anyone listened too, and at once; none after the input's end")
    func events() {
        let screen = HeadlessScreen(size)
        screen.press(.up, .control("c"))
        let ear = Ear(screen)
        #expect(ear.heard == [.key(.up), .key(.control("c"))])
        screen.type("hé")
        screen.receive(.paste(Paste("p")))
        screen.receive(.endOfInput)
        screen.press(.down)
        #expect(
            ear.heard.dropFirst(2) == [.key(.character("h")), .key(.character("é")), .paste(Paste("p")), .endOfInput])
    }

    @Test("what comes while an event is being told follows it")
    func eventsWithin() {
        let screen = HeadlessScreen(size)
        var heard: [String] = []
        screen.listener = { event in
            heard.append("\(event) begins")
            if event == .key(.control("z")) { screen.stopProcess() }
            heard.append("\(event) ends")
        }
        screen.press(.control("z"), .up)
        let told: [TerminalEvent] = [.key(.control("z")), .resumed, .key(.up)]
        #expect(heard == told.flatMap { ["\($0) begins", "\($0) ends"] })
    }

    @Test("suspended, it remembers the last frame and paints it when it is resumed")
    func suspends() {
        let screen = HeadlessScreen(size)
        screen.present(frame("one"))
        screen.suspend()
        screen.present(frame("two"))
        screen.bell()
        #expect(!screen.send(.clipboard("x")))
        #expect(screen.shown.text(row: 1) == "  one")
        screen.resume()
        #expect(screen.shown.text(row: 1) == "  two")
        #expect(screen.bells == 0)
    }

    @Test("closed, it does nothing more")
    func closes() {
        let screen = HeadlessScreen(size)
        let ear = Ear(screen)
        screen.close()
        screen.close()
        screen.present(frame("one"))
        screen.resume()
        #expect(screen.paintedFrames == 0)
        screen.press(.up)
        #expect(ear.heard.isEmpty)
    }

    @Test("messages and bells are kept; what the terminal has no way to say is refused")
    func messages() {
        let screen = HeadlessScreen(size)
        screen.bell()
        #expect(screen.send(.clipboard("x")))
        #expect(!screen.send(.notification(title: "", body: "x")))
        #expect(screen.bells == 1)
        #expect(screen.messages == [.clipboard("x")])
    }
}

/// Hears all that a screen tells.
@MainActor
private final class Ear {
    private(set) var heard: [TerminalEvent] = []

    init(_ screen: HeadlessScreen) {
        screen.listener = { [unowned self] in heard.append($0) }
    }
}
