import Base64Coding
import Foundation
import Glibc

/// The file that holds the key which tokens are signed with.
enum KeyFile {
    static let minimumLength = 32

    /// The key of an existing file: its bytes without the final newline.
    static func read(_ path: String) throws(StartupError) -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw StartupError(
                "The key file \(path) can't be read; without --key-file one is made in the data directory.")
        }
        var key = Array(data)
        if key.last == UInt8(ascii: "\n") { key.removeLast() }
        guard key.count >= minimumLength else {
            throw StartupError(
                "The key file \(path) holds \(key.count) bytes; a key has at least \(minimumLength). "
                    + "Make one with: head -c 32 /dev/urandom | base64 > \(path)")
        }
        return key
    }

    /// The key of the file, which is made with a new key if it does not exist: readable by its owner alone from the
    /// moment that it is there, and whole from the moment that it has its name.
    static func readOrMake(_ path: String) throws(StartupError) -> [UInt8] {
        if FileManager.default.fileExists(atPath: path) { return try read(path) }
        let random = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        let key = Base64.encode(random, .urlSafe, isPadded: false)
        let draft = "\(path).\(getpid())"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else {
            throw StartupError("The key file \(path) can't be made: \(String(cString: strerror(errno))).")
        }
        let bytes = Array((key + "\n").utf8)
        let written = write(descriptor, bytes, bytes.count)
        let synced = fsync(descriptor)
        close(descriptor)
        // link(2) fails where another process was faster; then its key is the key.
        let linked = written == bytes.count && synced == 0 && (link(draft, path) == 0 || errno == EEXIST)
        let problem = errno
        unlink(draft)
        guard linked else {
            throw StartupError("The key file \(path) can't be made: \(String(cString: strerror(problem))).")
        }
        return try read(path)
    }
}
