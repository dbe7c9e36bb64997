import ArgumentParser
import WireJSON

/// A verb that only prints a text, whatever the server and the configuration are.
protocol TextCommand: ParsableCommand {
    func text() throws -> String
}

struct CompletionCommand: TextCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Print the completion script of a shell.",
        discussion: "bash: rolecall completion bash > ~/.local/share/bash-completion/completions/rolecall\n"
            + "zsh: rolecall completion zsh > a directory of $fpath, as _rolecall\n"
            + "fish: rolecall completion fish > ~/.config/fish/completions/rolecall.fish")

    @Argument(help: "bash, zsh or fish.", completion: .list(["bash", "zsh", "fish"]))
    var shell: String

    func validate() throws {
        guard CompletionShell(rawValue: shell) != nil else { throw ValidationError("There is bash, zsh and fish.") }
    }

    func text() throws -> String {
        validShell.map { RolecallCommand.completionScript(for: $0) } ?? ""
    }

    private var validShell: CompletionShell? { CompletionShell(rawValue: shell) }
}

struct ManualCommand: TextCommand {
    static let configuration = CommandConfiguration(
        commandName: "man", abstract: "Print the manual page.",
        discussion: "It is read with: rolecall man | man -l -")

    func text() throws -> String {
        Manual(grammar: (try? JSON(parsing: RolecallCommand._dumpHelp())) ?? .null).text
    }
}
