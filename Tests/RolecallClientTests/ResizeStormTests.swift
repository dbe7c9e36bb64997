import Foundation
import RolecallProtocol
import Terminal
import TestSupport
import Testing
import WireJSON

@testable import RolecallClient

/// For each seed. `ROLECALL_SIZES=5000` is 10,000 steps in all, which take a debug build three minutes.
private let steps = ProcessInfo.processInfo.environment["ROLECALL_SIZES"].flatMap { Int($0) } ?? 350

@Suite("A storm of sizes", .computes)
struct ResizeStormTests {
    @Test(
        "with keys, events and pastes between them, each frame is whole, and the last one is what its state says",
        arguments: [1, 2])
    @MainActor
    func storm(seed: UInt64) {
        var generator = Seeded(seed)
        var watched = WatchedStage(Size(columns: 80, rows: 24), isUnicode: seed % 2 == 0)
        (watched.scene, watched.isForeign) = ("seed \(seed)", true)
        watched.stage.connect(as: root)
        let screen = HeadlessScreen(Size(columns: 80, rows: 24))
        let keys = KeyMap.standard.bindings.flatMap(\.keys) + "ab /:1".map { Key.character($0) }
        for step in 0..<steps {
            switch generator.below(10) {
            case 0..<4:
                let isUsual = generator.below(3) == 0
                let size = Size(
                    columns: 1 + generator.below(isUsual ? 130 : 300), rows: 1 + generator.below(isUsual ? 40 : 100))
                watched.stage.resize(size.columns, size.rows)
                screen.resize(to: size)
            case 4: watched.stage.tell(.event(event(Int64(100 + step), .created, row: ["_id": .integer(Int64(step))])))
            case 5: watched.stage.tell(.event(chat(Int64(100 + step), String(repeating: "word 大 ", count: step % 90))))
            case 6: watched.stage.act(.paste(Paste(step % 3 == 0 ? "a\nb\nc" : "model:thing")))
            default:
                let key = keys[generator.below(keys.count)]
                // Leaving ends the program, and its screen with it.
                if !watched.stage.press(key).contains(.quit(.done)) { break }
            }
            let frame = ScreenView.frame(watched.stage.state)
            screen.present(frame.cells, cursor: frame.cursor)
            // To look at each cell takes longer than to draw it.
            if step % 5 == 0 || watched.stage.state.size.columns < 130 { watched.look(after: "step \(step)") }
        }
        watched.resize(Size(columns: 80, rows: 24))
        screen.resize(to: Size(columns: 80, rows: 24))
        let frame = ScreenView.frame(watched.stage.state)
        screen.present(frame.cells, cursor: frame.cursor)
        let shown = screen.shown
        screen.repaint()
        #expect(shown == frame.cells)
        #expect(screen.shown == shown)
    }
}
