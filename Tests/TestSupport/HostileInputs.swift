import Glibc

/// How many hostile inputs the decoders are tried on.
public enum HostileInputs {
    /// The decoders that have such a test: JSON; Engine.IO's packets, payloads and requests; Socket.IO's packets;
    /// WebSocket frames.
    private static let decoders = 6

    /// For each decoder: a sixth of a million. `ROLECALL_HOSTILE_INPUTS` sets another number in all.
    public static let perDecoder = max(
        1, (getenv("ROLECALL_HOSTILE_INPUTS").flatMap { Int(String(cString: $0)) } ?? 1_000_000) / decoders)
}
