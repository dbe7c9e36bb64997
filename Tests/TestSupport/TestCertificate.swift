/// Certificates that sign themselves, and their key: made for these tests alone, valid from 2020 to 2120.
public enum TestCertificate: Sendable {
    /// For `localhost` and 127.0.0.1.
    case local
    /// For `other.example`.
    case other

    public var certificate: String {
        switch self {
        case .local: Self.localPEM
        case .other: Self.otherPEM
        }
    }

    private static let localPEM = """
        -----BEGIN CERTIFICATE-----
        MIIBXjCCAQOgAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
        c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
        CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABA2plFny5zYieTlm
        ZPzhuN8jRK1x9+X0jhSfOu0E5Thu/AcWpnTcjHUdegQlt3rpzg0uUdKhSDXQO7zT
        BMCp9USjRDBCMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIJbG9jYWxob3N0
        hwR/AAABMBMGA1UdJQQMMAoGCCsGAQUFBwMBMAoGCCqGSM49BAMCA0kAMEYCIQCT
        cxQAobYOpSr2d4ik3J6q6KUSyjw2/dfIZERndkZeGwIhAIuYa9zcGZx9vfHNPJxO
        1Gnhf7Ah8lgh0LeCl+Decxtv
        -----END CERTIFICATE-----
        """

    private static let otherPEM = """
        -----BEGIN CERTIFICATE-----
        MIIBYjCCAQmgAwIBAgIBAjAKBggqhkjOPQQDAjAYMRYwFAYDVQQDDA1vdGhlci5l
        eGFtcGxlMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAYMRYwFAYD
        VQQDDA1vdGhlci5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEDamU
        WfLnNiJ5OWZk/OG43yNErXH35fSOFJ867QTlOG78BxamdNyMdR16BCW3eunODS5R
        0qFINdA7vNMEwKn1RKNCMEAwDwYDVR0TAQH/BAUwAwEB/zAYBgNVHREEETAPgg1v
        dGhlci5leGFtcGxlMBMGA1UdJQQMMAoGCCsGAQUFBwMBMAoGCCqGSM49BAMCA0cA
        MEQCIEnIYZyhM0RbvcQEPvlxgWc+LP9LzZjHuLomsZPj7HyMAiBNjzT9xnRa/Up8
        A9+HmvnJjPCdZfYlXhdtTUYBuByK7A==
        -----END CERTIFICATE-----
        """

    public static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9Luj4qPSCskCgQWB
        Se3fvH2X/kpGLO8C73eoFNHfE4KhRANCAAQNqZRZ8uc2Ink5ZmT84bjfI0Stcffl
        9I4UnzrtBOU4bvwHFqZ03Ix1HXoEJbd66c4NLlHSoUg10Du80wTAqfVE
        -----END PRIVATE KEY-----
        """
}
