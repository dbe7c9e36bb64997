import ArgumentParser

@main
struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rolecall-server",
        abstract: "Tells every live socket who it belongs to, and shows each user only what their role may see.",
        version: version,
        subcommands: [ServeCommand.self, UserCommand.self],
        defaultSubcommand: ServeCommand.self)

    static let version = "0.1.0"
}
