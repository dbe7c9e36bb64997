import Foundation
import Glibc

/// What the operating system says of this process. Each of these reads a file or a directory and may take its time.
enum ProcessReadings {
    private static let pageSize = Double(sysconf(Int32(_SC_PAGESIZE)))

    /// Bytes; NaN where the system does not say.
    static var residentMemory: Double {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return .nan }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? Double(fields[1]).map { $0 * pageSize } ?? .nan : .nan
    }

    /// How many descriptors are open; NaN where the system does not say.
    static var openDescriptors: Double { (countedDescriptors ?? listedDescriptors).map(Double.init) ?? .nan }

    /// Whether the directory of descriptors has their number for its size: since Linux 6.2 (proc_pid_fd(5)).
    private static let isCounted: Bool = {
        var system = utsname()
        guard uname(&system) == 0 else { return false }
        let release = withUnsafeBytes(of: &system.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        return numbers.count == 2 && (numbers[0], numbers[1]) >= (6, 2)
    }()

    /// Their number, which the system knows without a look at each of them; nil where it does not say.
    static var countedDescriptors: Int? {
        var status = stat()
        guard isCounted, stat("/proc/self/fd", &status) == 0, status.st_size > 0 else { return nil }
        return Int(status.st_size)
    }

    /// Counts the entries of that directory, one by one.
    static var listedDescriptors: Int? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
        while let entry = readdir(directory) {
            // The names are numbers, but for those of the directory itself and its parent.
            if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
        }
        // One of them is that of the look itself.
        return max(0, count - 1)
    }
}
