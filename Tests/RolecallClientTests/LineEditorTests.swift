import Testing

@testable import RolecallClient

@Suite("LineEditor")
struct LineEditorTests {
    /// A text with `|` where the cursor stands.
    private func shown(_ editor: LineEditor) -> String {
        String(editor.characters[..<editor.cursor]) + "|" + String(editor.characters[editor.cursor...])
    }

    private func editor(_ marked: String) -> LineEditor {
        let parts = marked.split(separator: "|", omittingEmptySubsequences: false)
        var editor = LineEditor(parts.joined(), isMultiline: true)
        for _ in 0..<(parts.last?.count ?? 0) { editor.moveLeft() }
        return editor
    }

    @Test(
        "the editing keys do what readline's do",
        arguments: [
            ("one two|", Request.lineStart, "|one two"), ("|one two", .lineEnd, "one two|"),
            ("one| two", .left, "on|e two"), ("one| two", .right, "one |two"), ("|a", .left, "|a"),
            ("a|", .right, "a|"),
            ("one two|", .wordLeft, "one |two"), ("|one two", .wordRight, "one| two"),
            ("one| two", .killToEnd, "one|"), ("one| two", .killToStart, "| two"),
            ("one a@b|", .killWord, "one |"), ("one a@b|", .killWordBackward, "one a@|"),
            ("one| two", .killWordForward, "one|"),
            ("on|e", .deleteBackward, "o|e"), ("on|e", .deleteForward, "on|"), ("|", .deleteBackward, "|"),
            ("|", .deleteForward, "|"), ("ab|", .transpose, "ba|"), ("a|", .transpose, "a|"),
            ("a\nb|c", .lineStart, "a\n|bc"), ("a|b\nc", .lineEnd, "ab|\nc"), ("a|\nb", .killToEnd, "a|b"),
        ])
    func editing(before: String, request: Request, after: String) {
        var editor = editor(before)
        editor.perform(request)
        #expect(shown(editor) == after)
    }

    @Test("what was cut is pasted at the cursor")
    func yank() {
        var editor = editor("one two|")
        editor.perform(.killWord)
        editor.perform(.lineStart)
        editor.perform(.yank)
        #expect(shown(editor) == "two|one ")
    }

    @Test("what was sent comes back, and so does what was being typed")
    func history() {
        var editor = LineEditor(isMultiline: true)
        for text in ["first", "second", "second"] {
            editor.set(text)
            editor.remember()
        }
        editor.set("draft")
        editor.recall(-1)
        #expect(editor.text == "second")
        editor.recall(-1)
        editor.recall(-1)
        #expect(editor.text == "first", "The oldest stays.")
        editor.recall(1)
        editor.recall(1)
        #expect(editor.text == "draft")
    }

    @Test("nothing that a terminal would act on gets in, and a single line stays one")
    func hazards() {
        var lines = LineEditor(isMultiline: true)
        #expect(lines.insert("a\u{1B}[2Jb\u{9B}c\r\nd\te\u{202E}") == 3)
        #expect(lines.text == "a[2Jbc\nd e")
        var line = LineEditor()
        line.insert("a\nb")
        #expect(line.text == "a b")
    }

    @Test("a text has an end")
    func limit() {
        var editor = LineEditor()
        #expect(editor.insert(String(repeating: "x", count: LineEditor.limit + 5)) == 5)
        #expect(editor.characters.count == LineEditor.limit)
    }

    @Test("emoji are one character to every key")
    func clusters() {
        var editor = editor("a👩‍🚀b|")
        editor.perform(.left)
        editor.perform(.deleteBackward)
        #expect(shown(editor) == "a|b")
    }
}
