import Foundation
import Testing
import WireJSON

@testable import RolecallClient

@Suite("Manual and completion")
struct ManualTests {
    private func printed(_ arguments: String...) throws -> String {
        guard case .print(let text) = Invocation(arguments: arguments, environment: [:]) else {
            Issue.record("\(arguments) prints.")
            return ""
        }
        return text
    }

    @Test("the manual page tells of every verb, option, key, command, query term and setting")
    func whole() throws {
        let page = try printed("man")
        let text = page.replacing("\\-", with: "-").replacing("\\e", with: "\\").replacing("\\(dq", with: "\"")
        for verb in ["screen", "login", "watch", "expect", "kick", "explain", "replay", "completion", "man"] {
            #expect(text.contains(".SS \"\(verb)\""), "\(verb)")
        }
        for option in ["--server url", "--profile name", "--until until", "--no-reconnect", "--speed factor"] {
            #expect(text.contains(".B \"\(option)\""), "\(option)")
        }
        #expect(text.components(separatedBy: ".B \"--server url\"").count == 2, "What every verb takes is told once.")
        for binding in KeyMap.standard.bindings { #expect(text.contains("(\(binding.request.name))")) }
        for command in SlashCommand.allCases { #expect(text.contains(".B \"/\(command.rawValue)\"")) }
        for (term, meaning) in Query.grammar { #expect(text.contains(".B \"\(term)\"") && text.contains(meaning)) }
        for (directive, _) in ConfigurationFile.grammar { #expect(text.contains(".B \"\(directive)\"")) }
    }

    @Test("no line of it is a request that is none, and none of its text an escape")
    func safe() throws {
        for line in try printed("man").split(separator: "\n") {
            #expect(line.utf8.count == line.count, "\(line)")
            if line.hasPrefix(".") {
                #expect([".TH", ".SH", ".SS", ".PP", ".TP", ".B "].contains { line.hasPrefix($0) }, "\(line)")
            }
            #expect(!line.hasPrefix("'"))
            let escapes = line.matches(of: /\\(.)/).map { String($0.output.1) }
            #expect(escapes.allSatisfy { ["-", "e", "&", "("].contains($0) }, "\(line)")
        }
    }

    @Test("each shell has a script that knows the verbs", arguments: ["bash", "zsh", "fish"])
    func completion(shell: String) throws {
        let script = try printed("completion", shell)
        for verb in ["watch", "replay", "completion"] { #expect(script.contains(verb)) }
    }

    @Test("another shell is a wrong usage")
    func otherShell() {
        guard case .misuse(let text) = Invocation(arguments: ["completion", "csh"], environment: [:]) else {
            Issue.record("It is a misuse.")
            return
        }
        #expect(text.contains("There is bash, zsh and fish."))
    }
}
