import RolecallProtocol
import Terminal
import Testing
import WireJSON

@testable import RolecallClient

@Suite("The palette")
struct PaletteTests {
    private func names(_ stage: Stage) -> [String] {
        guard case .palette(let palette) = stage.state.page else { return [] }
        return palette.items(stage.state.keys, isDetailOpen: stage.state.detail.isOpen).map(\.name)
    }

    @Test("holds every command, and every request that means something there, under one name each")
    func all() {
        var stage = Stage.busy()
        stage.press(.function(9))
        let names = names(stage)
        #expect(Set(names).count == names.count)
        for command in SlashCommand.allCases { #expect(names.contains("/\(command.rawValue)")) }
        let known = Set(Request.allCases.map(\.name))
        #expect(known.count == Request.allCases.count)
        for binding in stage.state.keys.bindings where binding.context == .list || binding.context == .anywhere {
            guard ![.interrupt, .back, .palette].contains(binding.request) else { continue }
            #expect(names.contains(binding.request.name), "\(binding.request)")
        }
        #expect(Request.toggleWrap.name == "toggle-wrap")
        #expect(Request.showJSON.name == "show-json")
    }

    @Test("typing finds by letters in their order, and by words of the explanation; Enter does it")
    func finding() {
        var stage = Stage.busy()
        stage.press(.function(9))
        stage.type("tgw")
        #expect(names(stage).first == "toggle-wrap")
        stage.press(.enter)
        #expect(stage.state.isWrapped)
        #expect(stage.state.page == nil)
        stage.press(.function(9))
        stage.type("round trip")
        #expect(names(stage) == ["/ping"])
        #expect(stage.press(.enter) == [.measureLatency])
        stage.press(.function(9))
        stage.type("zzz")
        #expect(stage.press(.enter) == [])
        #expect(stage.screen.contains("Nothing answers to that."))
        stage.press(.control("u"))
        #expect(names(stage).count > 40)
        stage.press(.escape)
        #expect(stage.state.context == .list)
    }

    @Test("a command that takes something is written into the input, and what stood there can be had again")
    func parameters() {
        var stage = Stage.busy()
        stage.press(.character("i"))
        stage.type("half a thought")
        stage.press(.function(9))
        stage.type("export")
        stage.press(.enter)
        #expect(stage.rows[23] == "Ann> /export")
        #expect(stage.state.input.text == "/export ")
        #expect(stage.state.context == .input)
        stage.press(.up)
        #expect(stage.state.input.text == "half a thought")
    }

    @Test("gives the place back from which it was opened, and does there what belongs there")
    func places() {
        var stage = Stage.busy()
        stage.press(.function(7), .function(9))
        stage.type("reload")
        #expect(names(stage).first == "reload")
        #expect(
            stage.press(.enter) == [.list(.sockets, generation: stage.state.generation)] || stage.state.page == .people)
        #expect(stage.state.page == .people)
        stage.press(.function(9), .function(9))
        #expect(stage.state.page == .people)
        stage.press(.function(9))
        stage.type("show-raw")
        stage.press(.enter)
        #expect(stage.state.page == nil)
        #expect(stage.state.detail.form == .raw)
        stage.press(.function(9))
        stage.type("fold-all")
        stage.press(.enter)
        #expect(stage.state.focus == .detail)
        // Another user's page is not given back.
        stage.press(.escape, .escape, .function(7), .function(9))
        stage.tell(.identity(identity(root, epoch: 2, reason: .login), nil))
        stage.press(.escape)
        #expect(stage.state.page == nil)
    }

    @Test(
        "fits every screen, with and without Unicode, and shows what is selected",
        arguments: [(120, 36), (80, 24), (60, 18), (30, 8)], [true, false])
    func sizes(_ size: (Int, Int), isUnicode: Bool) {
        var stage = Stage(columns: size.0, rows: size.1, isUnicode: isUnicode)
        stage.press(.escape, .function(9))
        #expect(stage.rows.contains { $0.hasPrefix("[PALETTE]") })
        #expect(stage.screen.contains(" Do: "))
        for _ in 0..<60 {
            #expect(stage.rows.contains { $0.hasPrefix(">") })
            #expect(stage.rows.allSatisfy { DisplayWidth.of($0) <= size.0 })
            if !isUnicode { #expect(stage.rows.allSatisfy { $0.allSatisfy(\.isASCII) }) }
            stage.press(.down)
        }
        stage.press(.pageUp, .pageUp)
        stage.type("quit")
        #expect(stage.rows.first { $0.hasPrefix(">") }?.hasPrefix(">quit") == true)
        #expect(ScreenView.frame(stage.state).cursor != nil)
        stage.press(.control("c"))
        #expect(!stage.row("Do:").contains("quit"))
        stage.act(.paste(Paste("qu\u{1B}it", isTruncated: false)))
        #expect(stage.press(.enter) == [.quit(.done)])
    }

    @Test("the nearer answer stands first")
    func scores() throws {
        func score(_ typed: String, _ name: String) -> Int { Fuzzy.score(typed, name: name, description: "") ?? -999 }
        #expect(score("fold", "fold") > score("fold", "fold-all"))
        #expect(score("fa", "fold-all") > score("fa", "half-page-up"))
        #expect(score("pd", "page-down") > score("pd", "half-page-down"))
        #expect(score("fold", "unfold-all") < score("fold", "fold-all"))
        #expect(Fuzzy.score("xyz", name: "fold", description: "x y z") == nil)
        #expect(Fuzzy.score("", name: "fold", description: "") == 0)
        #expect(Fuzzy.score("ab", name: "a", description: "") == nil)
    }
}

@Suite("Help")
struct HelpPageTests {
    @Test("/ narrows it as one types, Enter gives the keys back, Esc shows all again")
    func narrowing() {
        var stage = Stage.busy()
        stage.press(.function(1))
        let all = stage.screen
        stage.press(.character("/"))
        #expect(stage.screen.contains("[FIND]"))
        stage.type("round TRIP")
        #expect(stage.screen.contains("/ping"))
        #expect(!stage.screen.contains("/quit"))
        #expect(stage.screen.contains(" Commands"))
        #expect(!stage.screen.contains(" Marks"))
        stage.press(.enter)
        #expect(stage.state.context == .help)
        #expect(stage.screen.contains("Find: round TRIP"))
        stage.press(.character("j"), .character("/"), .control("u"))
        stage.type("no such thing")
        #expect(stage.screen.contains("nothing"))
        stage.press(.escape)
        #expect(stage.state.context == .help)
        #expect(stage.screen == all)
        stage.press(.escape)
        #expect(stage.state.page == nil)
    }

    @Test("the query language is in it, and every section is found by its name")
    func queries() throws {
        var stage = Stage.busy(columns: 120, rows: 36)
        stage.press(.character("?"), .character("/"))
        stage.type("queries")
        for (term, meaning) in Query.grammar {
            let words = stage.screen.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(words.contains("\(term) \(meaning)"), "\(term)")
        }
        for (term, _) in Query.grammar.dropLast(2) { #expect(try Query(parsing: term).terms.count == 1, "\(term)") }
        stage.press(.control("u"))
        stage.type("people kick")
        #expect(stage.screen.contains(" PEOPLE"))
        #expect(!stage.screen.contains(" LIST"))
    }

    @Test("fits every screen while it is narrowed", arguments: [(120, 36), (80, 24), (60, 18), (30, 8)])
    func sizes(_ size: (Int, Int)) {
        var stage = Stage.busy(columns: size.0, rows: size.1)
        stage.press(.function(1), .character("/"))
        stage.type("a")
        for _ in 0..<30 {
            #expect(stage.rows.allSatisfy { DisplayWidth.of($0) <= size.0 })
            #expect(stage.screen.contains("Find: a"))
            stage.press(.down)
        }
        #expect(ScreenView.frame(stage.state).cursor != nil)
        stage.press(.pageUp, .control("c"))
        #expect(!stage.screen.contains("Find: a"))
    }
}
