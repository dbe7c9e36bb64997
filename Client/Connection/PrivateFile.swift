#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Files that only their owner may read.
enum PrivateFile {
    /// More than any store of tokens holds; a larger file is not ours.
    private static let largestSize = 1 << 20

    /// Makes a directory of mode 0700 with those above it, and takes others' access from one that exists.
    static func makeDirectory(_ path: String) throws(TokenStoreError) {
        var end = path.startIndex
        while end < path.endIndex {
            end = path[path.index(after: end)...].firstIndex(of: "/") ?? path.endIndex
            if mkdir(String(path[..<end]), 0o700) != 0, errno != EEXIST, errno != EROFS, errno != EACCES {
                throw .unusable(path, systemFault("making it"))
            }
        }
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unusable(path, systemFault("opening it")) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unusable(path, systemFault("looking at it")) }
        guard status.st_uid == geteuid() else { throw .unusable(path, "it belongs to another user") }
        if status.st_mode & 0o077 != 0, fchmod(descriptor, 0o700) != 0 {
            throw .unusable(path, systemFault("taking others' access from it"))
        }
    }

    /// The bytes of a file; nil where there is none. A link, a file of somebody else's and one that others may read
    /// or write are refused.
    static func contents(of path: String) throws(TokenStoreError) -> [UInt8]? {
        // Without O_NONBLOCK, opening a named pipe would wait for its writer.
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .unusable(path, systemFault("opening it"))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unusable(path, systemFault("looking at it")) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unusable(path, "it is no regular file") }
        guard status.st_uid == geteuid() else { throw .unusable(path, "it belongs to another user") }
        guard status.st_mode & 0o077 == 0 else {
            throw .exposed(path, mode: "0" + String(status.st_mode & 0o777, radix: 8))
        }
        guard Int(status.st_size) <= largestSize else { throw .unusable(path, "it is larger than 1 MiB") }
        return try readAll(descriptor, path: path)
    }

    /// Puts a file of mode 0600 in the place of another, or of none: at every moment, a power cut included, there is
    /// either the old one or the new one, whole.
    static func replace(_ path: String, with bytes: [UInt8]) throws(TokenStoreError) {
        let temporary = "\(path).\(String(UInt64.random(in: .min ... .max), radix: 16)).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unusable(path, systemFault("making its successor")) }
        var fault: String?
        if !writeAll(descriptor, bytes) || fsync(descriptor) != 0 { fault = systemFault("writing its successor") }
        if close(descriptor) != 0, fault == nil { fault = systemFault("writing its successor") }
        if fault == nil, rename(temporary, path) != 0 { fault = systemFault("putting its successor in place") }
        if let fault {
            unlink(temporary)
            throw .unusable(path, fault)
        }
        synchronizeDirectory(of: path)
    }

    private static func readAll(_ descriptor: CInt, path: String) throws(TokenStoreError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while bytes.count <= largestSize {
            let count = read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            if count > 0 {
                bytes.append(contentsOf: buffer.prefix(count))
            } else if errno != EINTR {
                throw .unusable(path, systemFault("reading it"))
            }
        }
        throw .unusable(path, "it is larger than 1 MiB")
    }

    private static func writeAll(_ descriptor: CInt, _ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }

    /// Makes the new name durable too. A file system that can't is no reason to lose the login.
    private static func synchronizeDirectory(of path: String) {
        guard let slash = path.lastIndex(of: "/") else { return }
        let descriptor = open(String(path[...slash]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = fsync(descriptor)
        close(descriptor)
    }
}

/// A lock that processes take in turns; the kernel releases it with its holder.
struct FileLock: ~Copyable {
    private let descriptor: CInt

    /// Waits up to five seconds for the lock.
    init(path: String) async throws(TokenStoreError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unusable(path, systemFault("opening it")) }
        let deadline = ContinuousClock.now + .seconds(5)
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                let fault = systemFault("locking it")
                close(descriptor)
                throw .unusable(path, fault)
            }
            // Not `flock`'s own waiting: that would hold a thread of everybody's for as long as another process likes.
            guard ContinuousClock.now < deadline, (try? await Task.sleep(for: .milliseconds(10))) != nil else {
                close(descriptor)
                throw .unusable(path, "another process holds its lock")
            }
        }
    }

    /// Closes the file, and with it ends the lock.
    func release() {
        close(descriptor)
    }
}

/// What the system said about the call that just failed.
private func systemFault(_ doing: String) -> String {
    "\(doing) failed (\(String(cString: strerror(errno))))"
}
