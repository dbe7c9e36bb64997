import Dispatch
import Foundation
import Logging
import ModelStore

/// A database in one SQLite file.
public struct SQLiteLocation: DatabaseLocation {
    public let path: String
    private let logger: Logger

    public init(path: String, logger: Logger) {
        self.path = path
        self.logger = logger
    }

    public var name: String { path }

    public func exists() async throws -> Bool { FileManager.default.fileExists(atPath: path) }

    public func schema() async throws -> DatabaseSchema {
        guard try await exists() else { return SQLiteDatabaseStore.emptySchema(path: path) }
        return try await blocking { try SQLiteDatabaseStore.schema(path: path) }
    }

    public func plan(_ options: OpeningOptions) async throws -> AttachmentPlan {
        try await blocking {
            try SQLiteDatabaseStore.plan(
                path: path, models: options.models, memberships: options.memberships, schema: options.schema)
        }
    }

    public func attach(_ options: OpeningOptions) async throws -> AttachmentPlan {
        try await blocking {
            try SQLiteDatabaseStore.attach(
                path: path, models: options.models, memberships: options.memberships, schema: options.schema,
                logger: logger)
        }
    }

    public func detach(_ models: [String], everything: Bool) async throws -> [String] {
        try await blocking {
            try SQLiteDatabaseStore.detach(path: path, models: models, everything: everything, logger: logger)
        }
    }

    public func status(of models: [ModelDeclaration]) async throws -> [ModelStatus] {
        try await blocking { try SQLiteDatabaseStore.status(path: path, models: models) }
    }

    public func open(_ options: OpeningOptions) async throws -> any Store {
        try await blocking {
            try SQLiteDatabaseStore.open(
                path: path, models: options.models, memberships: options.memberships, schema: options.schema,
                consent: options.consent, logger: logger)
        }
    }

    private func blocking<Output: Sendable>(
        _ work: @escaping @Sendable () throws -> Output
    ) async throws -> Output {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result(catching: work)) }
        }
    }
}

extension OpeningOptions {
    /// Statements that make tables where they are missing.
    fileprivate var schema: [String] { makesDemoTable ? [SQLiteLocation.demoTable] : [] }
}

extension SQLiteLocation {
    static let demoTable = """
        CREATE TABLE IF NOT EXISTS thing (
            _id INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            info TEXT,
            active BOOLEAN NOT NULL DEFAULT 1,
            admin_only BOOLEAN NOT NULL DEFAULT 0
        )
        """
}
