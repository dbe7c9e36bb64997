import ArgumentParser
import Foundation
import Logging
import ModelStore
import RolecallConfiguration

/// `rolecall-server check`: judges a configuration file by the database that it is for, and changes neither.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Judges a configuration file, and says everything that is wrong with it.",
        discussion: "It reads the file and the database's schema, and changes nothing. Exit status 1 means mistakes.")

    @OptionGroup var storage: StorageOptions

    func run() async throws {
        try await reportingStartupErrors {
            let (settings, file) = try storage.load(ProcessInfo.processInfo.environment)
            guard let file else { throw StartupError("There is nothing to check: name a file with --config.") }
            // What an option's value may be is judged where the server would.
            var configuration = try ServeCommand.parse([]).configuration(settings, makesDirectory: false)
            configuration.file = file
            let location = try StoreURL.location(
                configuration.storeURL, logger: Logger(label: "rolecall") { _ in SwiftLogNoOpLogHandler() })
            let resolved = try await configuration.resolved(at: location)
            let builtIn = Set(BuiltInModels.declarations().map(\.name))
            let own = resolved.models.filter { !builtIn.contains($0.name) }
            let counted = own.count == 1 ? "1 model" : "\(own.count) models"
            print(
                "\(file.name) is right: \(counted) of \(location.name), roles \(resolved.policy.roles.joined(separator: " < "))."
            )
            guard try await location.exists() else { return }
            let plan = try await location.plan(
                OpeningOptions(models: resolved.models, memberships: resolved.memberships))
            if plan.needsConsent {
                print("Not attached yet; \"rolecall-server models attach\" shows what it would put into the database:")
                for step in plan.steps { print("  \(step.sentence)") }
            }
        }
    }
}
