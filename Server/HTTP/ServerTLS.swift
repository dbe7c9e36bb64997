import Foundation
import HummingbirdCore
import HummingbirdTLS
import NIOSSL

/// The certificate that the server shows, and its key.
struct ServerTLS: Sendable {
    private let configuration: TLSConfiguration

    /// - Parameters:
    ///   - certificate: a PEM file; the server's own first, then those that vouch for it.
    ///   - key: a PEM file.
    /// - Throws: ``StartupError`` that names the file.
    init(certificate: String, key: String) throws {
        for path in [certificate, key] where !FileManager.default.isReadableFile(atPath: path) {
            throw StartupError("\(path) can't be read; see --tls-certificate and --tls-key.")
        }
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(certificate)
        } catch {
            throw StartupError("\(certificate) holds no certificate in PEM.")
        }
        let privateKey: NIOSSLPrivateKey
        do {
            privateKey = try NIOSSLPrivateKey(file: key, format: .pem)
        } catch {
            throw StartupError("\(key) holds no private key in PEM, or one with a password.")
        }
        configuration = .makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
        do {
            _ = try NIOSSLContext(configuration: configuration)
        } catch {
            throw StartupError("The key \(key) does not belong to the certificate \(certificate).")
        }
    }

    /// The same server, over TLS.
    func wrap(_ builder: HTTPServerBuilder) throws -> HTTPServerBuilder {
        try .tls(builder, tlsConfiguration: configuration)
    }
}
