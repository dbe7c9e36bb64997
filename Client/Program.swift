/// What the program calls itself.
enum Program {
    static let version = "0.1.0"

    /// For servers (RFC 9110 §10.1.5): name, version and system, nothing of the user or the machine.
    static let agent = "rolecall/\(version) (\(system))"

    #if os(Linux)
        private static let system = "Linux"
    #elseif os(macOS)
        private static let system = "macOS"
    #else
        private static let system = "other"
    #endif
}
