import ArgumentParser
import Glibc

@main
struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rolecall-server",
        abstract: "Tells every live socket who it belongs to, and shows each user only what their role may see.",
        version: version,
        subcommands: [
            ServeCommand.self, UserCommand.self, ModelsCommand.self, EventsCommand.self, CheckCommand.self,
            InitCommand.self,
        ],
        defaultSubcommand: ServeCommand.self)

    static let version = "0.1.0"

    /// What the server writes holds password hashes and a key: it is the owner's alone.
    static func main() async {
        umask(0o077)
        await main(nil)
    }
}
