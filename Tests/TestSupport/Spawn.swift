import Glibc

/// A program could not be started.
public struct SpawnFailure: Error, CustomStringConvertible {
    public var program: String
    public var code: Int32

    public var description: String { "\(program) can't be started: \(String(cString: strerror(code)))." }
}

/// What a child finds on one of its standard descriptors.
public enum ChildDescriptor: Sendable {
    /// A file or device, opened with these flags (a new one with mode 0600).
    case file(String, flags: Int32)
    /// A descriptor of the test process.
    case copy(of: Int32)

    public static let nothing = ChildDescriptor.file("/dev/null", flags: O_RDWR)

    /// A file that is made anew.
    public static func newFile(_ path: String) -> ChildDescriptor {
        .file(path, flags: O_WRONLY | O_CREAT | O_TRUNC)
    }
}

/// Starts a program that inherits nothing but what it is given.
///
/// Many tests run in one process, and some wait for the end of a pipe or a connection, which must not live on in another
/// test's child. Foundation's `Process` closes those descriptors that it finds before it starts the child, and so lets
/// those through that appear meanwhile; it also waits for everybody who inherited its pipes.
///
/// - Parameters:
///   - words: the program, looked for along the search path, and its arguments.
///   - environment: all of it.
///   - descriptors: its standard input, output and errors, from 0 on.
///   - newSession: whether it leads a session of its own; the first terminal that it opens is then its own, too.
/// - Returns: its number; whoever starts it waits for its end.
public func spawn(
    _ words: [String], environment: [String: String], descriptors: [ChildDescriptor], newSession: Bool = false
) throws(SpawnFailure) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (number, descriptor) in zip(Int32(0)..., descriptors) {
        switch descriptor {
        case .file(let path, let flags): posix_spawn_file_actions_addopen(&actions, number, path, flags, 0o600)
        case .copy(let other): posix_spawn_file_actions_adddup2(&actions, other, number)
        }
    }
    closeOthers(&actions)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Dispatch's threads, on which tests run, have every signal blocked, and a child would inherit that.
    var none = sigset_t()
    sigemptyset(&none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    // 0x80 is POSIX_SPAWN_SETSID, which glibc shows to GNU sources only.
    let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (newSession ? 0x80 : 0)
    posix_spawnattr_setflags(&attributes, Int16(flags))
    let arguments = words.map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { (arguments + variables).forEach { free($0) } }
    var process: pid_t = 0
    let code = posix_spawnp(&process, words[0], &actions, &attributes, arguments, variables)
    guard code == 0 else { throw SpawnFailure(program: words[0], code: code) }
    return process
}

/// Everything from 3 on is closed in the child itself, so that nothing slips through. glibc shows the call for it to
/// GNU sources only.
private func closeOthers(_ actions: inout posix_spawn_file_actions_t) {
    typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
    if let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") {
        _ = unsafeBitCast(symbol, to: CloseFrom.self)(&actions, 3)
    } else {
        for descriptor in 3..<Int32(1024) { posix_spawn_file_actions_addclose(&actions, descriptor) }
    }
}
