import Foundation
import Testing
import WireJSON

extension EndToEnd {
    @Suite("The README's Python", .stage())
    struct ReadmeTests {
        @Test("the snippet prints who it is, its acknowledgement, and each row as it comes")
        func snippet() async throws {
            let stage = try Stage.current
            let readme = try Programs.readme()
            let blocks = readme.matches(of: /```python\n((?:.|\n)*?)```/).map { String($0.1) }
            #expect(blocks.count == 1, "One snippet is promised to run; a second needs a test of its own.")
            try await withTemporaryDirectory { directory in
                let program = directory.file("snippet.py")
                try #require(blocks.first).write(to: program, atomically: true, encoding: .utf8)
                let snippet = try ChildProcess(Programs.python(), [program.path, stage.server.url])
                do {
                    let output = snippet.output
                    let anonymous = try await output.first("None anonymous") { $0 == "None anonymous" }
                    // Two threads print: these two lines come in either order, and may share one.
                    let registered = try await output.first("{'data': 'registered'}") {
                        $0.contains("{'data': 'registered'}")
                    }
                    let user = try await output.first("the user") { $0.contains("'email': 'test@example.com'") }
                    _ = try await output.first("login") { $0.contains("login") }
                    #expect(anonymous.index < user.index)
                    #expect(anonymous.index < registered.index)
                    let (row, secret) = (stage.row("row"), stage.row("secret"))
                    try await stage.write(secret, adminOnly: true)
                    try await stage.write(row)
                    _ = try await output.first("created \(row)") { $0 == "created \(row)" }
                    try await stage.server.sqlite("update thing set info = 'new' where name = '\(row)';")
                    _ = try await output.first("updated \(row)") { $0 == "updated \(row)" }
                    #expect(!output.elements.contains { $0.contains(secret) })
                    #expect(snippet.exit == nil, "\(snippet.errors.elements)")
                } catch {
                    for line in snippet.errors.elements { print("snippet: \(line)") }
                    try await snippet.end()
                    throw error
                }
                try await snippet.end()
            }
        }
    }
}
