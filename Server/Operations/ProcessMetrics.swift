extension MetricRegistry {
    /// Adds what the operating system says of this process, by the names that Prometheus has for it.
    func addProcess() {
        reading("process_resident_memory_bytes") { ProcessReadings.residentMemory }
        reading("process_open_fds") { ProcessReadings.openDescriptors }
    }
}
