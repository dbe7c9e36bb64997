import RolecallProtocol
import WireJSON

/// What the program says, in one form throughout.
struct Console: Sendable {
    enum Format: String, Sendable, Hashable, CaseIterable {
        /// A JSON object a line, for programs.
        case json
        /// For people.
        case line
    }

    let output: Output
    let format: Format

    /// Writes a line to standard output.
    ///
    /// - Throws: ``ReaderGone``, ``OutputFailure``, `CancellationError`.
    func print(_ line: OutputLine) async throws {
        switch format {
        case .json: try await output.lines.write(line: line.jsonBytes)
        case .line:
            let text = LineFormat(clock: \.localTimeOfDay).text(line, now: .now())
            try await output.lines.write(line: Array(text.utf8))
        }
    }

    /// Says one sentence to people, on standard error. Nobody may be there to hear it, and that is no fault.
    func say(_ sentence: String) async {
        try? await output.messages.write(line: Array("rolecall: \(SafeText(sentence))".utf8))
    }

    /// Tells a failure twice: to the program that reads the lines, and to people.
    func report(_ failure: Failure) async throws {
        await say(failure.message)
        try await print(.error(code: failure.code, message: failure.message, field: failure.field))
    }
}
