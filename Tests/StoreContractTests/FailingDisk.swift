import Foundation
import GRDBSQLite
import Synchronization

/// A disk that fails when a write-ahead log is flushed: SQLite's own way to its files, with one call in between.
enum FailingDisk {
    /// Paths of databases whose logs can't be flushed.
    private static let failing = Mutex<Set<String>>([])
    /// Names of the logs that are open.
    private static let names = Mutex<[UInt: String]>([:])
    /// The addresses of a log's methods, with and without the call in between; 0 until the first log is opened.
    private static let methods = Mutex<(original: UInt, copy: UInt)>((0, 0))

    static func fail(_ path: String) { failing.withLock { _ = $0.insert(path) } }
    static func repair(_ path: String) { failing.withLock { _ = $0.remove(path) } }

    /// For all databases that this process opens from here on.
    static func install() { _ = installed }

    private static let installed: Bool = {
        guard let original = sqlite3_vfs_find(nil) else { return false }
        let disk = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        disk.initialize(to: original.pointee)
        disk.pointee.pNext = nil
        disk.pointee.zName = UnsafePointer(strdup("failing"))
        disk.pointee.xOpen = { _, name, file, flags, outFlags in
            guard let original = sqlite3_vfs_find("unix"), let file else { return SQLITE_CANTOPEN }
            let code = original.pointee.xOpen(original, name, file, flags, outFlags)
            if code == SQLITE_OK, flags & SQLITE_OPEN_WAL != 0, let name {
                FailingDisk.watch(file, String(cString: name))
            }
            return code
        }
        return sqlite3_vfs_register(disk, 1) == SQLITE_OK
    }()

    private static func watch(_ file: UnsafeMutablePointer<sqlite3_file>, _ name: String) {
        names.withLock { $0[UInt(bitPattern: file)] = name }
        let original = UInt(bitPattern: file.pointee.pMethods)
        let copy = methods.withLock { methods -> UInt in
            if methods.copy == 0, let pointer = UnsafePointer<sqlite3_io_methods>(bitPattern: original) {
                let copy = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
                copy.initialize(to: pointer.pointee)
                copy.pointee.xSync = { file, flags in FailingDisk.flush(file, flags) }
                methods = (original, UInt(bitPattern: copy))
            }
            return methods.copy
        }
        file.pointee.pMethods = UnsafePointer(bitPattern: copy)
    }

    private static func flush(_ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: CInt) -> CInt {
        let address = UInt(bitPattern: file)
        let name = names.withLock { $0[address] }
        if let name, failing.withLock({ $0.contains { name == $0 + "-wal" } }) { return SQLITE_IOERR | (4 << 8) }
        let original = methods.withLock { $0.original }
        return UnsafePointer<sqlite3_io_methods>(bitPattern: original)?.pointee.xSync(file, flags) ?? SQLITE_OK
    }
}
