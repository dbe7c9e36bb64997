/// The header fields by which an answer lets the scripts of a listed origin read it, with their visitors' cookies
/// (CORS; Fetch Standard, section 3.3). Which origins are listed, the caller decides.
package struct CrossOriginSharing: Sendable {
    package typealias Field = (name: String, value: String)

    /// The methods that scripts may use.
    private let methods: String
    /// The header fields that scripts may read, besides those that any script may.
    private let exposedFields: String

    package init(methods: [String], exposedFields: [String] = []) {
        self.methods = methods.joined(separator: ", ")
        self.exposedFields = exposedFields.joined(separator: ", ")
    }

    /// Those of any answer but one to a preflight request.
    ///
    /// - Parameter origin: the request's `Origin` if it is listed; nil for any other, or none.
    package func fields(forListed origin: String?) -> [Field] {
        // A cache must not give one origin's answer to another.
        guard let origin else { return [("Vary", "Origin")] }
        var fields = Self.grant(to: origin)
        if !exposedFields.isEmpty { fields.append(("Access-Control-Expose-Headers", exposedFields)) }
        return fields
    }

    /// Those of the answer to a preflight request: a browser asks whether a script may make a request.
    ///
    /// - Parameters:
    ///   - origin: the request's `Origin`, which is listed.
    ///   - requestedFields: the request's `Access-Control-Request-Headers`; nil where there is none.
    package func preflightFields(forListed origin: String, requestedFields: String?) -> [Field] {
        var fields = Self.grant(to: origin)
        fields.append(("Access-Control-Allow-Methods", methods))
        if let requestedFields { fields.append(("Access-Control-Allow-Headers", requestedFields)) }
        fields.append(("Access-Control-Max-Age", "600"))
        return fields
    }

    private static func grant(to origin: String) -> [Field] {
        [("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true"), ("Vary", "Origin")]
    }
}
