#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension String {
    /// With a full stop, unless it ends a sentence already.
    var asSentenceEnd: String { hasSuffix(".") ? self : "\(self)." }
}

/// Says in words what the network libraries say in the notation of their types: the one thing in it that tells a
/// person what to do.
enum NetworkFault {
    /// The fault that a library's description names, as the end of a sentence without its full stop; the description
    /// itself where it names none that is known.
    static func words(for description: String) -> String {
        if let match = description.firstMatch(of: /OPENSSL_internal:([A-Z0-9_]+)/) {
            return switch match.output.1 {
            case "CERTIFICATE_VERIFY_FAILED": "its certificate is not trusted; --cacert names other authorities"
            case "NO_CERTIFICATE_OR_CRL_FOUND", "NO_START_LINE": "the file of --cacert holds no certificate"
            case "WRONG_VERSION_NUMBER": "it does not speak TLS"
            default: "TLS failed (\(match.output.1))"
            }
        }
        if let match = description.firstMatch(of: /errno: (\d{1,4})\b/), let number = CInt(match.output.1) {
            return String(cString: strerror(number))
        }
        if description.contains("UnknownHost") { return "its name can't be resolved" }
        return description
    }
}
