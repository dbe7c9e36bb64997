import Foundation
import TestSupport
import Testing
import WireJSON

extension EndToEnd {
    @Suite("A server with a certificate")
    struct TLSTests {
        /// The files of a certificate for this machine.
        private func withFiles(
            _ body: (TemporaryDirectory, _ certificate: URL, _ key: URL) async throws -> Void
        ) async throws {
            try await withTemporaryDirectory { directory in
                let (certificate, key) = (directory.file("certificate.pem"), directory.file("key.pem"))
                try TestCertificate.local.certificate.write(to: certificate, atomically: true, encoding: .utf8)
                try TestCertificate.key.write(to: key, atomically: true, encoding: .utf8)
                try await body(directory, certificate, key)
            }
        }

        @Test("the client logs in and watches over https and wss, and the cookie is for TLS alone")
        func serves() async throws {
            try await withFiles { directory, certificate, key in
                let server = try ChildProcess(
                    Programs.server(),
                    [
                        "--demo", "--data", directory.file("data").path, "--port", "0", "--tls-certificate",
                        certificate.path, "--tls-key", key.path,
                    ], environment: [:])
                let line = try await server.output.first(within: .seconds(30), "the address") { _ in true }
                let match = try #require(line.element.wholeMatch(of: /listening on (https:\/\/127\.0\.0\.1:\d+)/))
                let variables = [
                    "ROLECALL_SERVER": String(match.1), "XDG_STATE_HOME": directory.file("state").path,
                ]
                func client(_ arguments: String..., input: [String] = []) async throws -> ClientRun {
                    ClientRun(
                        run: try await Shell.run(
                            Programs.client(), arguments + ["--cacert", certificate.path], environment: variables,
                            input: input))
                }
                let login = try await client(
                    "login", "--email", "test@example.com", "--password-stdin", input: ["test"])
                #expect(login.exit == .status(0), "\(login)")
                #expect(try await client("whoami").line("identity")?["reason"] == "cookie")
                let created = try await client("create", "thing", "name=over TLS")
                #expect(created.exit == .status(0), "\(created)")
                let answer = try await Shell.run(
                    URL(fileURLWithPath: "/usr/bin/env"),
                    [
                        "curl", "-sk", "-D", "-", "-o", "/dev/null", "-H", "Content-Type: application/json", "-d",
                        #"{"email":"test@example.com","password":"test"}"#, "\(match.1)/auth/local",
                    ])
                let cookie = answer.output.first { $0.lowercased().hasPrefix("set-cookie:") }
                #expect(cookie?.contains("; Secure") == true, "\(answer)")
                #expect(cookie?.contains("; HttpOnly") == true, "\(answer)")
                #expect(try await server.end(SIGTERM) == .status(0))
            }
        }

        @Test("files that are no certificate, no key, or not of each other are refused by name")
        func refused() async throws {
            try await withFiles { directory, certificate, key in
                let text = directory.file("text")
                try "no certificate".write(to: text, atomically: true, encoding: .utf8)
                for (one, other, named) in [
                    (text, key, text), (certificate, text, text), (directory.file("none"), key, directory.file("none")),
                ] {
                    let run = try await Shell.run(
                        Programs.server(),
                        [
                            "--data", directory.file("data").path, "--port", "0", "--tls-certificate", one.path,
                            "--tls-key", other.path,
                        ])
                    #expect(run.exit == .status(1), "\(run)")
                    #expect(run.errors.count == 1 && run.errors[0].contains(named.path), "\(run)")
                }
                let alone = try await Shell.run(
                    Programs.server(),
                    ["--data", directory.file("data").path, "--port", "0", "--tls-certificate", certificate.path])
                #expect(alone.errors.joined().contains("go together"), "\(alone)")
            }
        }
    }
}
