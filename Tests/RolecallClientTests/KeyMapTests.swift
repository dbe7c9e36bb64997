import Terminal
import Testing

@testable import RolecallClient

@Suite("KeyMap")
struct KeyMapTests {
    @Test("no key asks for two things in one place")
    func unambiguous() {
        for context in KeyContext.allCases {
            let keys = KeyMap.standard.bindings.filter { $0.context == context }.flatMap(\.keys)
            #expect(Set(keys).count == keys.count, "\(context)")
        }
    }

    @Test("every request can be asked for, and help names each key and what it does")
    func help() {
        let asked = Set(KeyMap.standard.bindings.map(\.request))
        #expect(Set(Request.allCases).subtracting(asked).isEmpty)
        let stage = Stage(columns: 120, rows: 36)
        let text = HelpView.lines(stage.state, width: 120).map(\.string).joined(separator: "\n")
        for binding in KeyMap.standard.bindings {
            for key in binding.keys { #expect(text.contains("\(key)"), "\(key)") }
            #expect(text.contains(binding.request.explanation))
        }
        for command in SlashCommand.allCases { #expect(text.contains("/\(command.rawValue)")) }
    }

    @Test("where keys are typed, letters are text")
    func letters() {
        for context in [KeyContext.input, .form, .whom, .filter, .search] {
            for character in "qjkgGpird?:[]w/fFcnNtmhl'" {
                #expect(KeyMap.standard.request(for: .character(character), in: context) == nil, "\(character)")
            }
        }
    }

    @Test("the footer names the keys of the table")
    func footer() {
        var stage = Stage.busy()
        let footer = stage.rows[stage.rows.count - 2]
        #expect(footer.hasPrefix("[LIST] j move  Enter open  i/Tab type  p pause"))
        #expect(footer.hasSuffix("? keys"))
        stage.press(.character("i"))
        #expect(stage.rows[stage.rows.count - 2].hasPrefix("[INPUT] Enter send  Esc back  Alt-Enter new line"))
    }
}
