import RolecallProtocol
import Terminal
import Testing
import WireJSON

@testable import RolecallClient

@Suite("The configuration file")
struct ConfigurationFileTests {
    @Test("says server, profile, looks, keys and what rings")
    func whole() throws {
        let file = ConfigurationFile(
            parsing: """
                # mine
                set server http://example.org:8080
                  set profile work\r
                set theme light
                \tSET wrap ON

                bind list Ctrl-E explain
                bind list x none
                bind anywhere f12 quit
                notify who:ann "two words"
                """)
        #expect(file.mistakes == [])
        #expect(file.server == (try ServerOrigin(parsing: "http://example.org:8080")))
        #expect(file.profile == Profile("work"))
        #expect(file.theme == .light)
        #expect(file.isWrapped)
        #expect(file.watches == [#"who:ann "two words""#])
        #expect(file.keys.request(for: .control("e"), in: .list) == .explain)
        #expect(file.keys.request(for: .character("x"), in: .list) == nil)
        #expect(file.keys.request(for: .character("x"), in: .detail) == .explain)
        #expect(file.keys.request(for: .function(12), in: .input) == .quit)
        #expect(file.keys.key(for: .quit, in: .detail) == .function(12), "The user's own key is the one to name.")
    }

    @Test(
        "every mistake is told with its line and what would be right, and the rest holds",
        arguments: [
            ("sett theme dark", "There is no directive sett; did you mean set?"),
            ("set them dark", "There is no setting them; did you mean theme?"),
            ("set theme blue", "There is no theme blue; there are dark, light, mono."),
            ("set theme", "It is set NAME VALUE, as in: set theme light."),
            ("set wrap maybe", "wrap is on or off."), ("set profile ../x", "../x is no profile's name."),
            ("bind list x", "It is bind CONTEXT KEY REQUEST, as in: bind list x copy-event."),
            ("bind lst x quit", "There is no place lst; did you mean list?"),
            ("bind list Ctr-X quit", "Ctr-X is no key; write x, Ctrl-X, Alt-X, F5"),
            ("bind list x copyevent", "There is no request copyevent; did you mean copy-event?"),
            ("bind list x kick", "kick does nothing in list; it is for people."),
            ("bind input x send", "x is text in input; bind a function key, or one with Ctrl or Alt."),
            ("bind anywhere x quit", "x is text where one types; bind a function key"),
            ("bind confirmation y none", "Then no key would ask for confirm in confirmation; bind another one first."),
            ("bind anywhere Ctrl-C none", "Then no key would ask for interrupt in anywhere"),
            ("bind anywhere Esc none", "Then no key would ask for back in "),
            ("bind input Enter new-line", "Then no key would ask for send in input"),
            ("notify", "It is notify QUERY"), ("notify op:boiled", "boiled"), ("set server ftp://x", ""),
        ])
    func mistakes(line: String, sentence: String) throws {
        let file = ConfigurationFile(parsing: "# one\n\(line)\nset theme mono\n")
        let mistake = try #require(file.mistakes.first)
        #expect(file.mistakes.count == 1)
        #expect(mistake.line == 2)
        #expect(mistake.text.contains(sentence), "\(mistake)")
        #expect(file.theme == .mono)
        #expect(file.keys.bindings == KeyMap.standard.bindings)
    }

    @Test("whatever bytes it holds, it is read to its end")
    func wild() {
        let words = ["set", "bind", "notify", "list", "theme", "x", "\u{1B}[2J", "\u{0}", "", "Ctrl-", "-", "\"", "#"]
        var seed: UInt64 = 7
        for _ in 0..<2000 {
            var line = ""
            for _ in 0..<6 {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                line += words[Int(seed >> 33) % words.count] + " "
            }
            for mistake in ConfigurationFile(parsing: line).mistakes {
                #expect(!mistake.text.unicodeScalars.contains { $0.isTerminalHazard })
            }
        }
    }

    @Test("stands where XDG says, and one that can't be read is told of")
    func reading() async throws {
        #expect(ConfigurationFile.path(["HOME": "/h"]) == "/h/.config/rolecall/config")
        #expect(ConfigurationFile.path(["HOME": "/h", "XDG_CONFIG_HOME": "/c"]) == "/c/rolecall/config")
        #expect(ConfigurationFile.path(["HOME": "/h", "XDG_CONFIG_HOME": "c"]) == "/h/.config/rolecall/config")
        #expect(ConfigurationFile.path([:]) == nil)
        try await withTemporaryDirectory { directory in
            let environment = ["XDG_CONFIG_HOME": directory]
            #expect(ConfigurationFile.read(environment).mistakes == [])
            try PrivateFile.makeDirectory("\(directory)/rolecall")
            try write("set theme light\nbind x\n", to: "\(directory)/rolecall/config")
            let file = ConfigurationFile.read(environment)
            #expect(file.theme == .light)
            #expect(file.mistakes.map(\.line) == [2])
            try write(String(repeating: "#", count: 2 << 20), to: "\(directory)/rolecall/config")
            #expect(ConfigurationFile.read(environment).mistakes.first?.text.contains("larger than 1 MiB") == true)
        }
        try await withTemporaryDirectory { directory in
            try PrivateFile.makeDirectory("\(directory)/rolecall/config")
            let mistakes = ConfigurationFile.read(["XDG_CONFIG_HOME": directory]).mistakes
            #expect(mistakes.first?.text == "\(directory)/rolecall/config can't be read: it is no regular file.")
        }
    }

    @Test("an option and the environment win over it")
    func precedence() throws {
        let file = ConfigurationFile(parsing: "set server http://file:1\nset profile file")
        func server(_ arguments: [String], _ environment: [String: String]) throws -> String {
            guard case .run(let found) = Invocation(arguments: arguments, environment: environment, file: file) else {
                return "none"
            }
            return "\(found.server) \(found.profile)"
        }
        #expect(try server(["whoami"], [:]) == "http://file:1 file")
        let environment = ["ROLECALL_SERVER": "http://env:2", "ROLECALL_PROFILE": "env"]
        #expect(try server(["whoami"], environment) == "http://env:2 env")
        #expect(try server(["whoami", "--server", "http://arg:3"], environment) == "http://arg:3 env")
    }

    @Test("mistakes stand in the list, and on standard error of a verb")
    func told() async throws {
        var stage = Stage()
        stage.state.adopt(ConfigurationFile(parsing: "set theme\nbind list x kick\nnotify who:ann"))
        #expect(stage.screen.contains("! config line 1: It is set NAME VALUE"))
        #expect(stage.screen.contains("! config line 2: kick does nothing in list; it is for people."))
        #expect(stage.screen.contains("The configuration file has 2 mistakes."))
        #expect(stage.state.watches.all.map(\.text) == ["who:ann"])
    }
}

@Suite("Settings")
struct SettingsTests {
    private func command(_ stage: inout Stage, _ text: String) -> [Effect] {
        stage.press(.escape, .character(":"), .control("u"))
        stage.type(text)
        return stage.press(.enter)
    }

    @Test("/bind changes a key at once, and footer and help follow")
    func bind() {
        var stage = Stage.busy(columns: 120, rows: 36)
        _ = command(&stage, "/bind list o open")
        #expect(stage.screen.contains("o in list: open. For good, write it into the configuration file."))
        stage.press(.escape)
        #expect(stage.rows[34].contains("o open"))
        stage.press(.character("o"))
        #expect(stage.state.detail.isOpen)
        stage.press(.function(1), .character("/"))
        stage.type("list show all of it")
        #expect(stage.screen.contains("o Enter"))
        stage.press(.escape, .escape)
        _ = command(&stage, "/bind list o opne")
        #expect(stage.screen.contains("/bind: There is no request opne; did you mean open?"))
        #expect(stage.screen.contains("> /bind list o opne"), "It stays where it was written.")
    }

    @Test("a changed table still has one use of a key in each place, and loses no other key")
    func tables() throws {
        var map = KeyMap.standard
        for words in [
            ["list", "y", "copy-value"], ["list", "Y", "copy-event"], ["input", "Ctrl-G", "kill-word"],
            ["confirmation", "F3", "confirm"], ["confirmation", "y", "none"],
        ] {
            map = try map.binding(words)
            for context in KeyContext.allCases {
                let keys = map.bindings.filter { $0.context == context }.flatMap(\.keys)
                #expect(Set(keys).count == keys.count)
            }
        }
        #expect(map.request(for: .character("y"), in: .list) == .copyValue)
        #expect(map.request(for: .function(3), in: .confirmation) == .confirm)
        #expect(map.request(for: .character("y"), in: .confirmation) == nil)
        let before = Set(
            KeyMap.standard.bindings.flatMap { binding in binding.keys.map { "\(binding.context) \($0)" } })
        let after = Set(map.bindings.flatMap { binding in binding.keys.map { "\(binding.context) \($0)" } })
        #expect(before.subtracting(after) == ["confirmation y"])
    }

    @Test("/theme and /set choose the looks; without a name they tell, or go on to the next")
    func themes() {
        var stage = Stage.busy(columns: 120, rows: 36)
        func colours(_ stage: Stage) -> Set<Color> {
            let cells = ScreenView.frame(stage.state).cells
            return Set((0..<cells.size.rows).flatMap { cells.row($0).map(\.style.foreground) })
        }
        #expect(colours(stage).contains(.green))
        _ = command(&stage, "/theme light")
        #expect(colours(stage).allSatisfy { if case .ansi = $0 { false } else { true } })
        #expect(colours(stage).count > 3)
        _ = command(&stage, "/theme")
        #expect(stage.state.theme == .mono)
        #expect(colours(stage) == [.default])
        _ = command(&stage, "/theme")
        #expect(stage.state.theme == .dark)
        _ = command(&stage, "/set wrap on")
        #expect(stage.state.isWrapped)
        _ = command(&stage, "/set")
        #expect(stage.screen.contains("theme dark  wrap on"))
        for (wrong, sentence) in [
            ("/theme blue", "There is no theme blue; there are dark, light, mono."), ("/set x y", "no setting x"),
            ("/set wrap", "/set NAME VALUE; the names are theme, wrap."),
        ] {
            _ = command(&stage, wrong)
            #expect(stage.screen.contains(sentence), "\(wrong)")
        }
        let poor = ScreenState(
            server: .default, profile: "x", size: Size(columns: 80, rows: 24),
            capabilities: Capabilities(colors: .ansi8), now: Moment(uptime: .zero, wall: Stage.wall))
        var cells = ScreenView.frame(poor).cells
        cells.draw("x", row: 0, column: 0, Style(.yellow))
        ThemeChoice.light.apply(to: &cells, depth: .ansi8)
        #expect(cells.row(0).first?.style.foreground == .magenta, "Yellow can't be read on white.")
    }
}
