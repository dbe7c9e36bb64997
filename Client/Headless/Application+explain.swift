import RolecallProtocol

extension Application {
    /// Shows why a user gets an event, or does not.
    func explain(_ position: Position, to user: String) async throws {
        let explanation = try await ModelClient(rest: rest()).explanation(of: position, for: user)
        guard console.format == .line else { return try await console.print(.explanation(explanation)) }
        for line in ExplanationText.lines(explanation, isUnicode: true) {
            let text = String(repeating: " ", count: line.indent) + line.text
            try await console.output.lines.write(line: Array(text.utf8))
        }
    }
}
