import SocketIOServer

/// What the published Engine.IO suite expects of a server.
struct MessageEcho: EngineIOHandler {
    func received(_ message: EngineIOMessage, on session: EngineIOSession) {
        session.send(message)
    }
}
