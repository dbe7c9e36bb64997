import HTTPTypes

/// The cookie that goes with a token, as answers set it.
struct TokenCookie: Sendable {
    /// Seconds that browsers keep it.
    let lifetime: Int
    /// Whether the server speaks TLS, so that the cookie goes over nothing else.
    let isSecure: Bool

    func setting(_ token: String) -> HTTPFields {
        [.setCookie: Cookies.setting(token, lifetime: lifetime, isSecure: isSecure)]
    }

    /// Takes the cookie back.
    var clearing: HTTPFields {
        [.setCookie: Cookies.clearing(isSecure: isSecure)]
    }
}
