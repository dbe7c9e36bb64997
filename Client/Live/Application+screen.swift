import Logging
import RolecallProtocol
import Terminal

extension Application {
    /// Runs the live screen until the user leaves it.
    ///
    /// - Parameters:
    ///   - screen: is closed when this returns.
    ///   - replay: what is shown in the place of the server.
    ///   - connector: another way to the servers than Socket.IO, for tests.
    ///   - willEnd: is told how it will end as soon as that is known, with the terminal given back.
    @MainActor
    static func run(
        _ configuration: Configuration, _ request: ScreenRequest, on screen: any Screen, output: Output, input: Input,
        replay: Replay? = nil, connector: (@Sendable (ServerOrigin) -> any SocketConnector)? = nil,
        willEnd: @escaping @MainActor (ExitCode) -> Void = { _ in }
    ) async -> ExitCode {
        // A line on standard error would stand on the screen.
        let silent = Logger(label: "rolecall") { _ in SwiftLogNoOpLogHandler() }
        let connect =
            connector ?? { origin in
                SocketIOConnector(origin: origin, certificateFile: configuration.certificateFile)
            }
        let application = Application(
            configuration: configuration, console: Console(output: output, format: .line), input: input, logger: silent,
            connector: connect(configuration.server))
        var state = ScreenState(
            server: configuration.server, profile: configuration.profile.description, size: screen.size,
            capabilities: screen.capabilities, now: Moment(uptime: .zero, wall: .now()), buffer: request.buffer,
            isInsecureAllowed: configuration.isInsecure)
        state.adopt(configuration.file)
        var credential: Token?
        if case .replay(let request) = configuration.verb {
            state.replay = ReplayStatus(path: request.path, pace: request.pace)
            state.focus = .list
        }
        if replay == nil {
            do {
                credential = try application.credential()
                if configuration.tokenDirectory != nil {
                    state.lastEmail = try application.tokenStore().email(for: configuration.server).map {
                        SafeText($0).text
                    }
                }
            } catch {
                state.note("\(error)", .alarm)
            }
        }
        // The environment's token is not this program's to keep.
        state.staysSignedIn = credential != nil && configuration.token == nil
        if credential == nil, replay == nil { state.openAccount() }
        let live = LiveScreen(
            screen: screen, service: LiveService(application: application, connector: connect), state: state,
            credential: credential, replay: replay, willEnd: willEnd)
        return await live.run()
    }
}
