import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Why a file that the user named can't be used; a whole sentence.
struct FileFault: Error, Hashable, Sendable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// - Parameter number: the system's, of the call that just failed.
    fileprivate init(_ path: String, _ doing: String, _ number: CInt = errno) {
        switch number {
        case EEXIST: description = "\(path) is there already; with ! after the command's name it is replaced."
        case ENOENT: description = "\(path) can't be \(doing): there is no such file or directory."
        default: description = "\(path) can't be \(doing): \(String(cString: strerror(number)))."
        }
    }
}

/// A file of JSON lines that the user named: an export, or a recording. Only its owner may read it.
///
/// Writing waits on a thread of NIO's, never on one that Swift's tasks share.
final class EventFile: Sendable {
    let path: String
    private let descriptor: CInt

    private init(path: String, descriptor: CInt) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Makes the file. One that is there is emptied where it may be, and is refused otherwise; a link is never followed.
    static func create(_ path: String, replacing: Bool) async throws -> EventFile {
        try await NIOThreadPool.singleton.run {
            let flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (replacing ? 0 : O_EXCL)
            let descriptor = openFile(path, flags, 0o600)
            guard descriptor >= 0 else { throw FileFault(path, "written") }
            let file = EventFile(path: path, descriptor: descriptor)
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw FileFault(path, "written") }
            guard status.st_mode & S_IFMT == S_IFREG else { throw FileFault("\(path) is no regular file.") }
            guard fchmod(descriptor, 0o600) == 0, !replacing || ftruncate(descriptor, 0) == 0 else {
                throw FileFault(path, "written")
            }
            return file
        }
    }

    /// Writes bytes after those that are there.
    func append(_ bytes: [UInt8]) async throws {
        try await NIOThreadPool.singleton.run { [self] in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR {
                    throw FileFault(path, "written")
                }
            }
        }
    }

    /// Takes the file away again, where it could not be written whole.
    func remove() { unlink(path) }

    /// Puts the file, whole, in the place of another one.
    func move(to destination: String) async throws {
        try await NIOThreadPool.singleton.run { [self] in
            guard fsync(descriptor) == 0, rename(path, destination) == 0 else {
                throw FileFault(destination, "written")
            }
        }
    }

    /// Opens a file for reading.
    ///
    /// - Returns: its descriptor, which is the caller's to close.
    static func open(reading path: String) throws(FileFault) -> CInt {
        let descriptor = openFile(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFault(path, "read") }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else {
            close(descriptor)
            throw FileFault("\(path) is a directory.")
        }
        return descriptor
    }

    /// A path as it was typed, with `~/` for the home directory.
    static func expanded(_ path: String, home: String?) -> String {
        guard let home, path.hasPrefix("~/") else { return path }
        return "\(home)\(path.dropFirst(1))"
    }
}

/// The system's call, whose name `EventFile.open` has taken.
private func openFile(_ path: String, _ flags: CInt, _ mode: mode_t = 0) -> CInt {
    #if canImport(Glibc)
        Glibc.open(path, flags, mode)
    #elseif canImport(Musl)
        Musl.open(path, flags, mode)
    #else
        Darwin.open(path, flags, mode)
    #endif
}

/// A file's name and what follows it, as they are typed after a command: quotes hold spaces together.
struct FileArgument: Hashable, Sendable {
    let path: String
    let rest: String

    /// Nil where no name stands there, or its quotes are not closed.
    init?(_ text: String) {
        let text = text.drop { $0 == " " }
        let name: Substring
        let behind: Substring
        if text.first == "\"" {
            let inner = text.dropFirst()
            guard let end = inner.firstIndex(of: "\"") else { return nil }
            name = inner[..<end]
            behind = inner[inner.index(after: end)...]
        } else {
            let end = text.firstIndex(of: " ") ?? text.endIndex
            name = text[..<end]
            behind = text[end...]
        }
        guard !name.isEmpty else { return nil }
        path = String(name)
        rest = String(behind.drop { $0 == " " })
    }
}
