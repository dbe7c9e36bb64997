import Foundation
import Terminal
import TestSupport
import Testing

@testable import RolecallClient

/// What each kind of screen looks like, to the cell: files beside this one hold it as text, with its looks.
///
/// After a change that is meant, `ROLECALL_RECORD_SCREENS=1 swift test --filter ScreenGalleryTests` writes them anew;
/// the difference is for reading.
@Suite("Screens", .computes)
struct ScreenGalleryTests {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Screens")
    private static let isRecording = ProcessInfo.processInfo.environment["ROLECALL_RECORD_SCREENS"] != nil

    init() {
        // "until 18:00" is told by the clock of where the user is.
        setenv("TZ", "UTC0", 1)
        tzset()
    }

    @Test("every cell, its look, and the cursor are as they were agreed on", arguments: ScreenGallery.scenes)
    func exact(scene: ScreenGallery.Scene) throws {
        let file = Self.directory.appending(path: "\(scene.name).txt")
        let pictures = [true, false].flatMap { isUnicode in
            Size.promised.map { picture(scene, $0, isUnicode: isUnicode) }
        }
        if Self.isRecording {
            try FileManager.default.createDirectory(at: Self.directory, withIntermediateDirectories: true)
            try Data(pictures.joined(separator: "\n").utf8).write(to: file)
        }
        let expected = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n=== ")
        #expect(expected.count == pictures.count)
        for (expected, picture) in zip(expected, pictures) {
            let expected = expected.hasPrefix("=== ") ? expected : "=== \(expected)"
            let (lines, found) = (expected.components(separatedBy: "\n"), picture.components(separatedBy: "\n"))
            for (number, (line, now)) in zip(lines, found).enumerated() where line != now {
                Issue.record("\(lines[0]), line \(number):\nwas \(line)\nnow \(now)")
                break
            }
            #expect(lines.count == found.count, "\(lines[0])")
        }
    }

    @Test("no file is left of a screen that is not there any more")
    func files() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.directory.path).sorted()
        #expect(names == ScreenGallery.scenes.map { "\($0.name).txt" }.sorted())
    }

    /// The rows as text, those that are not plain with a row of letters below, then what the letters stand for.
    private func picture(_ scene: ScreenGallery.Scene, _ size: Size, isUnicode: Bool) -> String {
        let state = scene.stage(size, isUnicode: isUnicode).state
        let frame = ScreenView.frame(state)
        var looks: [Style] = []
        var lines = ["=== \(scene.name) at \(size)\(isUnicode ? "" : ", ASCII")"]
        for row in 0..<frame.cells.size.rows {
            lines.append("|\(frame.cells.text(row: row))")
            var letters = ""
            for cell in frame.cells.row(row) {
                guard cell.style != .plain else {
                    letters += " "
                    continue
                }
                let place = looks.firstIndex(of: cell.style) ?? looks.count
                if place == looks.count { looks.append(cell.style) }
                letters.append(Self.letters[place])
            }
            while letters.last == " " { letters.removeLast() }
            if !letters.isEmpty { lines.append(" \(letters)") }
        }
        lines += zip(Self.letters, looks).map { "\($0) is \($1.words)" }
        lines.append(frame.cursor.map { "cursor at row \($0.row), column \($0.column)" } ?? "no cursor")
        return lines.joined(separator: "\n")
    }

    private static let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
}

extension Style {
    fileprivate var words: String {
        let names: [(Attributes, String)] = [
            (.bold, "bold"), (.dim, "dim"), (.italic, "italic"), (.underline, "underline"), (.reverse, "reverse"),
        ]
        var words = names.filter { attributes.contains($0.0) }.map(\.1)
        if foreground != .default { words.append("\(foreground)") }
        if background != .default { words.append("on \(background)") }
        return words.joined(separator: " ")
    }
}
