import Dispatch
import Foundation
import GRDB

extension SQLiteDatabaseStore {
    /// Makes the write-ahead log as large as it comes to be between two checkpoints, so that no commit has to make it
    /// grow: flushing a file that has grown takes its inode and new blocks along, and costs a commit twice the time.
    ///
    /// From the first checkpoint on, SQLite writes over what is there, and nothing is left to gain. For servers, then,
    /// whose first commits should cost what all others do; it takes some megabytes of the disk a little earlier. Where
    /// there is no room for it, all stays as it is.
    ///
    /// What stands behind the newest frame means nothing to SQLite, and mostly is what is left from before the last
    /// checkpoint: frames are known by the salt of the log's header, which zeros do not have. Only the holder of the
    /// writer's lock appends, and all bytes that are there stay.
    public func reserveJournal() async throws {
        let path = pool.path + "-wal"
        try await pool.writeWithoutTransaction { db in
            let frames = try db.first("PRAGMA wal_autocheckpoint") { $0.integer(0) } ?? 0
            let pageSize = try db.first("PRAGMA page_size") { $0.integer(0) } ?? 0
            // A commit goes beyond the number by what it writes. (SQLite's "WAL file format": header and frame headers.)
            guard (1...10_000).contains(frames), (512...65_536).contains(pageSize) else { return }
            let size = 32 + (frames + 32) * (24 + pageSize)
            try db.transaction(.immediate) { extend(path, to: Int(size)) }
        }
    }
}

/// Appends zeros to a file until it is so large.
private func extend(_ path: String, to size: Int) {
    let file = open(path, O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    let start = Int(lseek(file, 0, SEEK_END))
    let zeros = [UInt8](repeating: 0, count: 1 << 16)
    var end = start
    while end >= 0, end < size {
        let written = zeros.withUnsafeBytes { pwrite(file, $0.baseAddress, min($0.count, size - end), off_t(end)) }
        if written < 0, errno == EINTR { continue }
        guard written > 0 else {
            // The disk is full, or the file may be no larger.
            _ = ftruncate(file, off_t(start))
            break
        }
        end += written
    }
    // No call waits for this; what is not on the disk by then is flushed with the first commit.
    DispatchQueue.global(qos: .utility).async {
        _ = fdatasync(file)
        close(file)
    }
}
