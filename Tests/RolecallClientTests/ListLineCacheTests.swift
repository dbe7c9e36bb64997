import Terminal
import TestSupport
import Testing
import WireJSON

@testable import RolecallClient

@Suite("Lines kept from one frame to the next")
struct ListLineCacheTests {
    /// Whatever happens between two frames, the one that is drawn with the lines of the frame before is the one that is
    /// drawn anew.
    @Test("frames are the same with kept lines and without", arguments: 0..<20)
    func same(seed: UInt64) {
        var generator = Seeded(seed)
        var stage = Stage.busy(columns: 120, rows: 36)
        var lines = ListLineCache()
        var number: Int64 = 10
        for step in 0..<120 {
            switch generator.below(18) {
            case 0: stage.press(.character("w"))
            case 1: stage.press(.character("t"))
            case 2: stage.press(.character("h"))
            case 3: stage.press(.character("l"))
            case 4: stage.press(.up)
            case 5: stage.press(.end)
            case 6: stage.press(.character("c"))
            case 7: stage.resize([120, 80, 60, 30][generator.below(4)], [36, 24, 18, 8][generator.below(4)])
            case 8:
                stage.press(.character("/"))
                stage.type("leak")
                stage.press(.enter)
            case 9: stage.press(.escape)
            case 10: stage.pass(.seconds(1))
            case 11:
                stage.type(":clear")
                stage.press(.enter, .escape)
            case 12: stage.tell(.event(chat(number, "said \(number), and more of it, so that it takes several rows")))
            // A note that is amended once it is known what was missed.
            case 13:
                stage.tell(.state(.offline(reason: "Lost.", retryIn: .seconds(1), attempt: 1)))
                stage.connect(as: ann)
            default:
                stage.tell(
                    .event(
                        event(
                            number, row: ["_id": 12, "name": "boiler 3", "info": "leak \(number)"], changed: ["info"])
                    ))
            }
            number += 1
            let kept = ScreenView.frame(stage.state, &lines)
            let anew = ScreenView.frame(stage.state)
            #expect(kept.cells == anew.cells, "after step \(step):\n\(kept.cells.text)\n\n\(anew.cells.text)")
            #expect(kept.cursor == anew.cursor)
        }
    }
}
