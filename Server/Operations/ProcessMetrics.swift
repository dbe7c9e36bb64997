import Foundation

/// What is measured of this process, by the names that Prometheus has for it.
enum ProcessMetrics {
    static func add(to registry: MetricRegistry) {
        registry.reading("process_resident_memory_bytes") { residentMemory }
        registry.reading("process_open_fds") { openDescriptors }
    }

    private static let pageSize = Double(sysconf(Int32(_SC_PAGESIZE)))

    /// NaN where the system does not say.
    private static var residentMemory: Double {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return .nan }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? Double(fields[1]).map { $0 * pageSize } ?? .nan : .nan
    }

    private static var openDescriptors: Double {
        guard let entries = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") else { return .nan }
        // One of them is that of the look itself.
        return Double(max(0, entries.count - 1))
    }
}
