import Hummingbird
import HummingbirdSocketIO
import Logging
import NIOPosix
import SocketIOServer
import WireJSON

/// A chat for every Socket.IO client there is, beside an ordinary page, on one port (the first argument, or 8080).
@main
struct Chat {
    static func main() async throws {
        var chat = SocketNamespace()
        chat.use { _, auth in
            guard auth?["name"]?.stringValue != nil else { throw ConnectRefusal(message: "Connect with your name.") }
        }
        chat.onConnect { socket in socket.join("lobby") }
        chat.on("say") { event, socket in
            socket.broadcast("said", event.arguments, to: ["lobby"])
            return ["heard"]
        }

        let group = MultiThreadedEventLoopGroup.singleton
        let sockets = SocketIOServer(handlers: ["/": chat], group: group, logger: Logger(label: "sockets"))
        let router = Router()
        router.get("/") { _, _ in "Connect with a Socket.IO client.\n" }
        let port = CommandLine.arguments.dropFirst().first.flatMap(Int.init) ?? 8080
        let application = Application(
            router: router, server: .socketIO(sockets),
            configuration: .init(address: .hostname("127.0.0.1", port: port)),
            eventLoopGroupProvider: .shared(group))
        try await application.runService()
        await sockets.drained()
    }
}
