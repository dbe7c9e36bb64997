import Foundation
import SocketIOClient
import Testing

@testable import RolecallCore
@testable import RolecallServer

/// Everything at once: a database and rules that chance has made, changes by the shell and by REST, and everybody's live
/// view, his lists, his answers and the log as he may read it, held against the rules as they are told once more, and as
/// plainly as can be, by ``LineEyes``.
///
/// `ROLECALL_SEEDS` tries others, and more: a number of them, or `first-last`.
@Suite("The whole line, by properties")
struct WholeLineTests {
    private static let steps = 60

    private static let seeds: ClosedRange<UInt64> = {
        let words = (ProcessInfo.processInfo.environment["ROLECALL_SEEDS"] ?? "4").split(separator: "-")
        let numbers = words.compactMap { UInt64($0) }
        return numbers.count == 2 ? numbers[0]...max(numbers[0], numbers[1]) : 1...max(1, numbers.first ?? 1)
    }()

    @Test("what everybody is told adds up to what he may read, and nothing else is in its bytes", arguments: seeds)
    func line(seed: UInt64) async throws {
        let directory = NSTemporaryDirectory() + "rolecall-line-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var world = LineWorld(seed: seed)
        let rows = try await fill(directory + "/shop.db", &world)
        try world.yaml.write(toFile: directory + "/rolecall.yml", atomically: true, encoding: .utf8)
        let file: LoadedFile
        do {
            file = try LoadedFile(path: directory + "/rolecall.yml")
        } catch {
            Issue.record("seed \(seed): \(error)\n\(world.yaml)")
            return
        }
        let made = world
        try await LiveServer.run { configuration in
            configuration.storeURL = "sqlite:" + directory + "/shop.db"
            configuration.file = file
            configuration.isDemo = false
            configuration.attaches = true
        } _: { server in
            let shell = try SQLiteShell(server.databasePath)
            do {
                try await serve(LineRun(server, shell, seed: seed, made, rows))
            } catch {
                await shell.end()
                throw error
            }
            await shell.end()
        }
    }

    /// Makes the tables, and what stands in them before Rolecall comes.
    private func fill(_ path: String, _ world: inout LineWorld) async throws -> [[String: LineRow]] {
        let shell = try SQLiteShell(path)
        let tables = world.tables.filter { !$0.isBuiltIn }
        try await shell.run(tables.map(\.definition).joined(separator: "\n"))
        var rows = try tables.rows(try await shell.run(tables.dump).lines)
        for _ in 0..<(6 * tables.count) {
            try await shell.run(world.script(on: rows))
            rows = try tables.rows(try await shell.run(tables.dump).lines)
        }
        await shell.end()
        return rows
    }

    private func serve(_ run: LineRun) async throws {
        try await run.makeAccounts()
        for place in await run.world.accounts.indices {
            try await run.connect(place, .websocket)
            if place.isMultiple(of: 2) { try await run.connect(place, .polling) }
        }
        try await run.connect(nil, .websocket)
        try await run.connect(nil, .polling)
        for _ in 0..<Self.steps { try await run.step() }
        try await run.end()
    }
}
