import RolecallProtocol
import Terminal
import Testing
import WireJSON

@testable import RolecallClient

/// What is typed, pasted, sent and ordered, by keys and events alone.
@Suite("The input's state")
struct InputReducingTests {
    @Test("a message is sent, and comes back to be read where it was not")
    func sending() {
        var stage = Stage()
        stage.connect(as: ann)
        stage.press(.tab)
        stage.type("hello")
        #expect(stage.rows[23] == "Ann> hello")
        #expect(stage.press(.enter) == [.send("hello")])
        #expect(stage.rows[23] == "Ann>")
        stage.act(.outcome(.notSent(text: "hello", reason: "The server is busy.")))
        #expect(stage.rows[23] == "Ann> hello")
        #expect(stage.rows[22].contains("Not sent: The server is busy."))
        stage.press(.control("u"), .up)
        #expect(stage.rows[23] == "Ann> hello", "It is remembered.")
    }

    @Test("what nobody may send stays where it was written")
    func unsent() {
        var stage = Stage()
        stage.connect(as: nil, reason: .anonymous)
        stage.press(.character("i"))
        stage.type("hello")
        #expect(stage.press(.enter) == [])
        #expect(stage.rows[23] == "> hello")
        #expect(stage.rows[22].contains("F2 logs in"))
        stage.tell(.state(.offline(reason: "Gone.", retryIn: .seconds(1), attempt: 1)))
        #expect(stage.press(.enter) == [])
        #expect(stage.rows[22].contains("no connection"))
    }

    @Test("a paste of several lines waits for Enter, whole, and is sent as one message")
    func paste() {
        var stage = Stage()
        stage.connect(as: ann)
        let text = (1...10).map { "line \($0)" }.joined(separator: "\n")
        #expect(stage.act(.paste(Paste(text))) == [])
        #expect(stage.state.context == .input)
        #expect(stage.rows[23] == "     line 10")
        #expect(stage.press(.enter) == [.send(text)])
    }

    @Test("a command begins anew beside a message that was begun, which is kept")
    func commandOverDraft() {
        var stage = Stage()
        stage.connect(as: ann)
        stage.press(.character("i"))
        stage.type("half a mess")
        stage.press(.escape, .character(":"))
        #expect(stage.row("Up brings it back").contains("What was begun is kept"))
        stage.type("ping")
        #expect(stage.press(.enter) == [.measureLatency])
        stage.press(.up, .up)
        #expect(stage.state.input.text == "half a mess")
        // One that is half written goes on.
        stage.state.input.set("/who")
        stage.press(.escape, .character(":"))
        #expect(stage.state.input.text == "/who")
    }

    @Test("commands are obeyed; an unknown one keeps its text and names the nearest; two slashes send one")
    func commands() {
        let table: [(String, [Effect])] = [
            ("/logout", [.logOut]), ("/signout", []), ("/whoami", [.whoami]), ("/reconnect", [.reconnect]),
            ("/quit", [.quit(.done)]), ("//x", [.send("/x")]), ("/ping", [.measureLatency]), ("/help", []),
            ("/login a@b", []),
        ]
        for (text, effects) in table {
            var stage = Stage()
            stage.connect(as: ann)
            stage.press(.character("i"))
            stage.type(text)
            #expect(stage.press(.enter) == effects, "\(text)")
            #expect(stage.state.input.isEmpty, "\(text)")
        }
        var stage = Stage()
        stage.connect(as: ann)
        stage.press(.character(":"))
        stage.type("lgoout")
        #expect(stage.press(.enter) == [])
        #expect(stage.rows[23] == "Ann> /lgoout")
        #expect(stage.rows[22].contains("Did you mean /logout?"))
        stage.press(.control("u"))
        stage.type("/whoa")
        stage.press(.tab)
        #expect(stage.state.input.text == "/whoami")
    }

    @Test("Ctrl-C clears the input, and a second one leaves; anything between takes it back")
    func interrupt() {
        var stage = Stage()
        stage.connect(as: ann)
        stage.press(.character("i"))
        stage.type("hello")
        #expect(stage.press(.control("c")) == [])
        #expect(stage.state.input.isEmpty)
        stage.type("x")
        #expect(stage.press(.control("c")) == [])
        #expect(stage.press(.control("c")) == [.quit(.done)])
    }
}
