import Testing

@testable import RolecallClient

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@Suite("TokenStore")
struct TokenStoreTests {
    private static let here = ServerOrigin.default
    private let token: Token
    private let other: Token
    private let there: ServerOrigin

    init() throws {
        token = try #require(Token("aaa.bbb.ccc"))
        other = try #require(Token("xxx.yyy.zzz"))
        there = try ServerOrigin(parsing: "https://example.org")
    }

    private func store(in directory: String, _ profile: Profile = .default) -> TokenStore {
        TokenStore(directory: "\(directory)/state/rolecall", profile: profile)
    }

    @Test("a token is found again by its origin and its profile, and by nothing else")
    func roundTrip() async throws {
        try await withTemporaryDirectory { directory in
            let store = store(in: directory)
            #expect(try store.token(for: Self.here) == nil)
            try await store.save(token, for: Self.here)
            #expect(try store.token(for: Self.here) == token)
            #expect(try store.token(for: there) == nil)
            #expect(try self.store(in: directory, #require(Profile("work"))).token(for: Self.here) == nil)

            try await store.save(other, for: there)
            try await store.save(other, for: Self.here)
            #expect(try store.token(for: Self.here) == other)
            #expect(try await store.remove(Self.here))
            #expect(try await !store.remove(Self.here))
            #expect(try store.token(for: Self.here) == nil)
            #expect(try store.token(for: there) == other)
        }
    }

    @Test("directory and files are the owner's alone, whatever the directory was before, and nothing is left over")
    func modes() async throws {
        try await withTemporaryDirectory { directory in
            let store = store(in: directory)
            try await store.save(token, for: Self.here)
            #expect(mode(of: store.directory) == 0o700)
            #expect(mode(of: "\(store.directory)/default.json") == 0o600)
            #expect(mode(of: "\(store.directory)/default.lock") == 0o600)
            chmod(store.directory, 0o755)
            try await store.save(other, for: Self.here)
            #expect(mode(of: store.directory) == 0o700)
            #expect(mode(of: "\(store.directory)/default.json") == 0o600)
            #expect(names(in: store.directory) == ["default.json", "default.lock"])
        }
    }

    @Test("a file that others may read or write is refused", arguments: [0o640, 0o604, 0o620, 0o602] as [mode_t])
    func exposed(mode: mode_t) async throws {
        try await withTemporaryDirectory { directory in
            let store = store(in: directory)
            try await store.save(token, for: Self.here)
            chmod("\(store.directory)/default.json", mode)
            let error = try #require(throws: TokenStoreError.self) { try store.token(for: Self.here) }
            #expect(error.description.contains("chmod 600"))
            #expect(error.description.contains("0" + String(mode, radix: 8)))
            await #expect(throws: TokenStoreError.self) { try await store.save(other, for: Self.here) }
        }
    }

    @Test(
        "a damaged file is an error that says so, and is not overwritten",
        arguments: [
            "", "{", "[]", "{\"tokens\":[]}", "\u{0}", "{\"tokens\":{\"http://127.0.0.1:9000\":{\"token\":\"a b\"}}}",
        ])
    func damaged(content: String) async throws {
        try await withTemporaryDirectory { directory in
            let store = store(in: directory)
            try await store.save(token, for: there)
            try write(content, to: "\(store.directory)/default.json")
            let error = try #require(throws: TokenStoreError.self) { try store.token(for: Self.here) }
            #expect(error.description.contains("damaged"))
            #expect(!error.description.contains("a b"))
        }
    }

    @Test("a link and a pipe in place of the file are refused, without waiting")
    func irregular() async throws {
        try await withTemporaryDirectory { directory in
            let store = store(in: directory)
            try await store.save(token, for: Self.here)
            let path = "\(store.directory)/default.json"
            rename(path, "\(directory)/elsewhere")
            symlink("\(directory)/elsewhere", path)
            #expect(throws: TokenStoreError.self) { try store.token(for: Self.here) }
            unlink(path)
            mkfifo(path, 0o600)
            #expect(throws: TokenStoreError.self) { try store.token(for: Self.here) }
        }
    }

    @Test("writers at the same time lose nothing of each other's")
    func concurrency() async throws {
        try await withTemporaryDirectory { directory in
            let store = store(in: directory)
            let origins = try (1...40).map { try ServerOrigin(parsing: "http://127.0.0.1:\($0)") }
            try await withThrowingTaskGroup { group in
                for origin in origins {
                    group.addTask { try await store.save(token, for: origin) }
                }
                try await group.waitForAll()
            }
            for origin in origins { #expect(try store.token(for: origin) == token) }
            try await withThrowingTaskGroup { group in
                for origin in origins.dropFirst() {
                    group.addTask { _ = try await store.remove(origin) }
                }
                try await group.waitForAll()
            }
            #expect(try origins.filter { try store.token(for: $0) != nil } == [origins[0]])
        }
    }

    @Test("a waiting writer can be cancelled")
    func cancelledWait() async throws {
        try await withTemporaryDirectory { directory in
            let store = store(in: directory)
            try await store.save(token, for: Self.here)
            let lock = try await FileLock(path: "\(store.directory)/default.lock")
            let waiting = Task { try await store.save(other, for: Self.here) }
            waiting.cancel()
            await #expect(throws: TokenStoreError.self) { try await waiting.value }
            lock.release()
            #expect(try store.token(for: Self.here) == token)
        }
    }

    @Test("a place where nothing can be made is an error in a sentence")
    func impossiblePlace() async throws {
        let store = TokenStore(directory: "/dev/null/rolecall", profile: .default)
        #expect(try store.token(for: Self.here) == nil)
        let error = await #expect(throws: TokenStoreError.self) { try await store.save(token, for: Self.here) }
        #expect(error?.description.hasSuffix(".") == true)
    }
}
