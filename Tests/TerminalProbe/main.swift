import Glibc
import Terminal

// A program on a real terminal for the tests of `Terminal`: draws a scene that is hard to get right, tells which events
// came, and ends in every way a program can end. Its environment: PROBE_PID_FILE takes its process id once the screen is
// open. Its exit code is 9 where no screen can be opened.

var screen = open()
if let path = getenv("PROBE_PID_FILE"), let file = fopen(path, "w") {
    fputs("\(getpid())\n", file)
    fclose(file)
}
var scene = Scene(size: screen.size, capabilities: screen.capabilities)
while true {
    screen.present(scene.frame(), cursor: scene.cursor)
    let (events, continuation) = AsyncStream.makeStream(of: TerminalEvent.self)
    screen.listener = { continuation.yield($0) }
    events: for await event in events {
        switch event {
        case .signal(let signal):
            screen.close()
            exit(signal.exitCode)
        case .endOfInput:
            screen.close()
            exit(0)
        case .key(.character("r")):
            screen.close()
            break events
        case .key(let key):
            try act(on: key)
        default:
            break
        }
        scene.size = screen.size
        scene.lastEvent = "\(event)"
        screen.present(scene.frame(), cursor: scene.cursor)
    }
    // Closed by a key, to be opened again.
    screen = open()
}

@MainActor
func open() -> CursesScreen {
    do {
        return try CursesScreen.open()
    } catch {
        print("no screen: \(error)")
        exit(9)
    }
}

@MainActor
func act(on key: Key) throws {
    switch key {
    case .character("q"):
        screen.close()
        exit(0)
    case .control("z"): screen.stopProcess()
    case .control("l"): screen.repaint()
    case .character("b"): screen.bell()
    case .character("c"): screen.send(.clipboard("copied"))
    case .character("n"): scene.number += 1
    case .character("p"):
        screen.suspend()
        print("meanwhile")
        screen.resume()
    case .character("d"): scene.number = (try? CursesScreen.open()) == nil ? 1000 : -1
    case .character("x"): exit(3)
    case .character("e"): throw ProbeError.asked
    case .character("t"): fatalError("asked to")
    case .character("a"): abort()
    case .character("s"): _ = UnsafePointer<Int>(bitPattern: 8)?.pointee
    case .character("o"):
        screen.repaint()
        _ = overflow(1)
    // Deaf, as a program is that hangs.
    case .character("h"): while true { pause() }
    default: break
    }
}

/// Runs until the stack is used up.
func overflow(_ depth: Int) -> Int {
    withUnsafeTemporaryAllocation(of: Int.self, capacity: 512) { words in
        words.initialize(repeating: depth)
        return overflow(depth + 1) + words[depth % 512]
    }
}

enum ProbeError: Error {
    case asked
}
